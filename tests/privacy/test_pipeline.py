"""The whole job on toy recordings: what is written, what is not, what is refused."""

import csv
import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from orplugins.cli import _hide_detectors, hide
from orplugins.depth.png import load_depth, save_depth
from orplugins.io.calibration.write import written
from orplugins.io.images import read_image
from orplugins.io.video import probe_video, read_video, write_video
from orplugins.privacy.finds import finds
from orplugins.privacy.pipeline import JOURNAL, Inputs, hide_recordings
from orplugins.privacy.report import NO_GUARANTEE
from orplugins.privacy.search import Detectors
from orplugins.privacy.settings import HideSettings
from orplugins.structures import Rig

from .toy import SIZE, detectors, find_red, picture, red, ring, seen, write_pictures

SECRET = b"JANE-DOE"
WALK = [picture((20 + 4 * t, 30, 8)) for t in range(6)]


def write_rig(rig: Rig, path: Path) -> None:
    (text,) = written(rig, "json").values()
    path.write_text(text)


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def run(inputs, out, find=find_red, depth=(), rig=None, **settings):
    lines: list[str] = []
    done = hide_recordings(Inputs(inputs, depth, rig), out, HideSettings(**settings), detectors(find), lines.append)
    return done, lines


def test_heads_are_hidden_and_nothing_else_changes(tmp_path):
    folder = write_pictures(tmp_path / "cam", WALK)
    done, lines = run([folder], tmp_path / "out")
    assert not lines and done.frames == 6 and done.blank == 0
    for t, before in enumerate(WALK):
        after = read_image(tmp_path / f"out/hidden/cam/{t:03d}.png")
        changed = (after != before).any(-1)
        assert not red(after).any() and red(before).sum() < changed.sum() < 6 * red(before).sum()
    assert files_below(tmp_path / "out") == {f"hidden/cam/{t:03d}.png" for t in range(6)} | {
        "hide.json", "hide.md", "check.csv", "check.json"
    }  # fmt: skip
    report = json.loads((tmp_path / "out/hide.json").read_text())
    assert report["note"] == NO_GUARANTEE and NO_GUARANTEE in (tmp_path / "out/hide.md").read_text()
    assert report["networks"] == {"colour": ["red"]}
    assert report["recordings"][0]["hidden places, by how they are known"]["found"] == 6


def test_a_frame_in_which_the_detector_is_blind_is_hidden_by_its_neighbours_and_listed_first(tmp_path):
    folder = write_pictures(tmp_path / "cam", WALK)

    def blind(image):
        return finds() if (image == WALK[3]).all() else find_red(image)

    run([folder], tmp_path / "out", blind)
    assert not red(read_image(tmp_path / "out/hidden/cam/003.png")).any()
    with open(tmp_path / "out/check.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["file"] == "cam/003.png" and "between two finds" in rows[0]["reasons"]
    assert (tmp_path / "out/check.png").is_file()
    run([folder], tmp_path / "stills", blind, stills=True)
    assert red(read_image(tmp_path / "stills/hidden/cam/003.png")).any()


@pytest.mark.parametrize("names", [("a", "b", "c"), ("b", "c", "a")])
def test_a_blind_camera_is_hidden_by_two_others(tmp_path, names):
    cameras, head = ring(), np.array([0.2, -0.1, 1.6])
    write_rig(Rig(cameras, ["a", "b", "c"], None), tmp_path / "rig.json")
    images = {name: picture(seen(camera, head)) for name, camera in zip("abc", cameras, strict=True)}
    folders = [write_pictures(tmp_path / name, [images[name]]) for name in names]

    def blind(image):
        return finds() if (image == images["b"]).all() else find_red(image)

    run(folders, tmp_path / "out", blind, rig=tmp_path / "rig.json")
    assert not red(read_image(tmp_path / "out/hidden/b/000.png")).any()
    run(folders, tmp_path / "alone", blind)
    assert red(read_image(tmp_path / "alone/hidden/b/000.png")).any()


def test_depth_beside_pictures_places_people_and_is_hidden_too(tmp_path):
    cameras, head = ring(2), np.array([0.2, -0.1, 1.6])
    write_rig(Rig(cameras, ["a", "b"], None), tmp_path / "rig.json")
    folders, depths = [], []
    for name, camera in zip("ab", cameras, strict=True):
        image = picture(seen(camera, head))
        folders.append(write_pictures(tmp_path / name, [image]))
        z = float(camera.world_to_camera(head)[2])
        depth = np.where(red(image), round(1000 * z - 90), 5000).astype(np.uint16)
        save_depth(tmp_path / f"depth_{name}/000.png", depth)
        depths.append(tmp_path / f"depth_{name}")
    first = read_image(folders[0] / "000.png")

    def only_first(image):
        return find_red(image) if (image == first).all() else finds()

    run(folders, tmp_path / "out", only_first, depths, tmp_path / "rig.json")
    for name in "ab":
        where = red(read_image(tmp_path / f"{name}/000.png"))
        assert not red(read_image(tmp_path / f"out/hidden/{name}/000.png")).any()
        assert not load_depth(tmp_path / f"out/hidden/depth_{name}/000.png")[where].any()


def test_sound_texts_places_and_thumbnails_stay_behind(tmp_path):
    folder = tmp_path / "cam"
    folder.mkdir()
    text = PngInfo()
    text.add_text("Patient", SECRET.decode())
    text.add_itxt("Comment", SECRET.decode())
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()  # description
    exif.get_ifd(0x8825)[1] = "N"  # GPS
    image = Image.fromarray(WALK[0][:, :, ::-1])
    image.save(folder / "0.png", pnginfo=text, exif=exif)
    image.save(folder / "1.jpg", exif=exif, comment=SECRET, quality=95)
    image.save(folder / "2.webp", exif=exif, lossless=True)
    image.save(folder / "3.tif", tiffinfo={270: SECRET.decode()})
    write_video(tmp_path / "plain.avi", WALK, 10)
    (tmp_path / "film.avi").write_bytes(with_sound_and_text((tmp_path / "plain.avi").read_bytes()))
    for path in [*folder.iterdir(), tmp_path / "film.avi"]:
        assert SECRET in path.read_bytes(), path
    assert b"auds" in (tmp_path / "film.avi").read_bytes() and len(list(read_video(tmp_path / "film.avi"))) == 6
    done, _ = run([folder, tmp_path / "film.avi"], tmp_path / "out")
    assert len(done.files) == 5
    for path in (tmp_path / "out").rglob("*.*"):
        assert path.is_dir() or SECRET not in path.read_bytes(), path
    for path in done.files[:4]:
        with Image.open(path) as copy:
            assert not copy.getexif().get_ifd(0x8825) and 0x010E not in copy.getexif()
            assert not {"Patient", "Comment", "comment", "exif", "XML:com.adobe.xmp", "icc_profile"} & set(copy.info)
    film = done.files[4].read_bytes()
    assert b"auds" not in film and film.count(b"strh") == 1


def test_an_mp4_has_one_track_and_no_date(tmp_path):
    write_video(tmp_path / "film.mp4", WALK, 10)
    (done, _) = run([tmp_path / "film.mp4"], tmp_path / "out", small=4)
    assert [path.name for path in done.files] == ["film.mp4"] * 2
    data = done.files[0].read_bytes()
    assert data.count(b"trak") == 1 and b"soun" not in data
    assert struct.unpack(">II", data[data.index(b"mvhd") + 8 : data.index(b"mvhd") + 16]) == (0, 0)
    assert not any(red(frame).sum() > 3 for frame in read_video(done.files[0]))
    assert probe_video(done.files[1]).size == (24, 18)


def with_sound_and_text(avi: bytes) -> bytes:
    """An AVI file of OpenCV with a second stream, of sound, and an INFO chunk."""
    sound = struct.pack("<4s4sIHHIIIIIIII8x", b"auds", b"\0" * 4, 0, 0, 0, 0, 1, 8000, 0, 8000, 0, 0, 1)
    form = struct.pack("<HHIIHH", 1, 1, 8000, 8000, 1, 8)
    stream = b"strl" + b"strh" + struct.pack("<I", len(sound)) + sound + b"strf" + struct.pack("<I", len(form)) + form
    stream = b"LIST" + struct.pack("<I", len(stream)) + stream
    hdrl = avi.index(b"hdrl") - 8
    size = struct.unpack("<I", avi[hdrl + 4 : hdrl + 8])[0]
    end = hdrl + 8 + size
    head = bytearray(avi[hdrl:end])
    head[4:8] = struct.pack("<I", size + len(stream))
    info = b"INFOINAM" + struct.pack("<I", len(SECRET)) + SECRET
    info = b"LIST" + struct.pack("<I", len(info)) + info
    out = bytearray(avi[:hdrl]) + head + stream + avi[end:] + info
    out[4:8] = struct.pack("<I", len(out) - 8)
    return bytes(out)


def test_a_frame_that_cannot_be_read_or_searched_is_blank_and_reported(tmp_path):
    folder = write_pictures(tmp_path / "cam", WALK)
    (folder / "002.png").write_bytes((folder / "002.png").read_bytes()[:60])

    def broken(image):
        if (image == WALK[4]).all():
            raise RuntimeError("out of luck")
        return find_red(image)

    done, lines = run([folder], tmp_path / "out", broken)
    assert done.blank == 2 and len(lines) == 2
    assert "cam/002.png: written blank" in lines[0] and "RuntimeError: out of luck" in lines[1]
    for t in (2, 4):
        copy = read_image(tmp_path / f"out/hidden/cam/{t:03d}.png")
        assert copy.shape == WALK[0].shape and (copy == 128).all()
    assert not any(red(read_image(path)).any() for path in done.files)


def test_a_video_that_is_cut_off_is_copied_as_far_as_it_goes_and_reported(tmp_path):
    frames = [picture((20 + t, 30, 8)) for t in range(40)]
    write_video(tmp_path / "whole.avi", frames, 10)
    data = (tmp_path / "whole.avi").read_bytes()
    (tmp_path / "film.avi").write_bytes(data[: len(data) * 2 // 3])
    done, lines = run([tmp_path / "film.avi"], tmp_path / "out")
    assert any("cut off or damaged" in line for line in lines)
    copied = list(read_video(tmp_path / "out/hidden/film.avi"))
    assert 10 < len(copied) < 40 and not any(red(frame).sum() > 3 for frame in copied)


def test_nothing_is_written_outside_and_the_inputs_stay(tmp_path, monkeypatch):
    folder = write_pictures(tmp_path / "cam", WALK)
    write_video(tmp_path / "film.mp4", WALK, 10)
    (tmp_path / "tmp").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setenv("HOME", str(tmp_path / "here"))
    monkeypatch.chdir(tmp_path / "here")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    run([folder, tmp_path / "film.mp4"], tmp_path / "out", what="everything", background="median", small=8)
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {path for path in after if tmp_path / "out" not in path.parents} == set(before)
    assert all(after[path] == content for path, content in before.items())


@pytest.mark.parametrize("out", ["cam", "cam/out", ".", "link"])
def test_an_output_folder_that_is_not_apart_is_refused(tmp_path, out):
    folder = write_pictures(tmp_path / "cam", WALK[:1])
    os.symlink(folder, tmp_path / "link")
    before = files_below(tmp_path)
    with pytest.raises(ValueError, match="is, holds or lies in the input .*, expected another place"):
        run([folder], tmp_path / out)
    assert files_below(tmp_path) == before


def test_an_output_folder_with_something_in_it_is_refused(tmp_path):
    folder = write_pictures(tmp_path / "cam", WALK[:1])
    run([folder], tmp_path / "out")
    with pytest.raises(ValueError, match=r"holds check.csv, .*expected a new or empty folder"):
        run([folder], tmp_path / "out")


def test_a_killed_job_goes_on(tmp_path):
    folder = write_pictures(tmp_path / "cam", WALK)
    seen_frames: list[int] = []

    def killed(image):
        seen_frames.append(1)
        if len(seen_frames) == 4:
            raise KeyboardInterrupt
        return find_red(image)

    with pytest.raises(KeyboardInterrupt):
        run([folder], tmp_path / "out", killed)
    assert files_below(tmp_path / "out") == {JOURNAL}
    run([folder], tmp_path / "out", killed)
    assert len(seen_frames) == 4 + 3
    assert JOURNAL not in files_below(tmp_path / "out")


def test_everything_but_skeletons(tmp_path):
    folder = write_pictures(tmp_path / "cam", WALK)
    run([folder], tmp_path / "out", what="everything")
    copy = read_image(tmp_path / "out/hidden/cam/000.png")
    assert (copy[40:] == 128).all() and not red(copy).any()
    run([folder], tmp_path / "floor", what="everything", background="median")
    copy = read_image(tmp_path / "floor/hidden/cam/000.png")
    assert (copy[:10] == WALK[0][:10]).all() and not red(copy).any()


def test_small_copies_with_and_without_hiding(tmp_path):
    folder = write_pictures(tmp_path / "cam", WALK[:2])
    run([folder], tmp_path / "out", small=8, only_small=True)
    assert files_below(tmp_path / "out") == {
        "small/cam/000.png", "small/cam/001.png", "hide.json", "hide.md", "check.csv", "check.json"
    }  # fmt: skip
    assert read_image(tmp_path / "out/small/cam/000.png").shape == (9, 12, 3)

    def never(image):
        raise AssertionError("nobody has to be found")

    done, lines = run([folder], tmp_path / "plain", never, small=8, only_small=True, small_from="original")
    assert not lines and done.blank == 0
    reduced = read_image(tmp_path / "plain/small/cam/000.png").astype(int)
    assert reduced[..., 2].max() > 200  # the head, as eight pixels show it


def test_depth_images_stay_millimetres(tmp_path):
    depth = np.full((72, 96), 3000, np.uint16)
    depth[20:30, 40:50] = 1500
    save_depth(tmp_path / "cam/0.png", depth)

    def find(image):
        assert image.dtype == np.uint16
        return finds([[40, 20, 50, 60]], [0.9])

    loaders = {"depth": lambda: Detectors(find, 1)}
    hide_recordings(Inputs([tmp_path / "cam"]), tmp_path / "out", HideSettings(small=8), loaders)
    copy = load_depth(tmp_path / "out/hidden/cam/0.png")
    assert not copy[20:27, 40:50].any() and (copy[50:] == 3000).all()
    assert load_depth(tmp_path / "out/small/cam/0.png").shape == (9, 12)


def test_names_can_be_left_behind(tmp_path):
    folder = write_pictures(tmp_path / "jane-doe-1977", WALK[:2], ".jpg")
    run([folder], tmp_path / "out", rename=True)
    assert "hidden/recording1/000001.jpg" in files_below(tmp_path / "out")
    assert not any("jane" in name for name in files_below(tmp_path / "out"))
    assert not any("jane" in path.read_text() for path in (tmp_path / "out").glob("*.[jmc]*[nvd]"))


def test_inputs_that_do_not_fit_are_refused_before_the_work(tmp_path):
    folder = write_pictures(tmp_path / "cam", WALK[:2])
    save_depth(tmp_path / "deep/0.png", np.full((72, 96), 900, np.uint16))
    cases = [
        (dict(inputs=[tmp_path / "none"]), "no such file or folder"),
        (dict(inputs=[folder], depth=[tmp_path / "deep"]), "1 depth images, expected 2"),
        (dict(inputs=[folder], depth=[folder]), "found pictures for pictures, expected depth"),
        (dict(inputs=[folder], depth=[tmp_path / "deep"] * 2), "found 2 folders, expected 1"),
    ]
    for given, message in cases:
        with pytest.raises((ValueError, OSError), match=message):
            run(given["inputs"], tmp_path / "out", depth=given.get("depth", ()))
    write_pictures(tmp_path / "deep", WALK[:2])
    with pytest.raises(ValueError, match="holds both depth images and pictures"):
        run([tmp_path / "deep"], tmp_path / "out")
    write_rig(Rig(ring(2), ["a", "b"], None), tmp_path / "rig.json")
    with pytest.raises(ValueError, match="2 cameras, expected 1, one a recording"):
        run([folder], tmp_path / "out", rig=tmp_path / "rig.json")
    for name in ("wide", "wide2"):
        write_pictures(tmp_path / name, [picture(size=(128, 72))])
    with pytest.raises(ValueError, match="wide: the images are 128x72.*another aspect ratio"):
        run([tmp_path / "wide", tmp_path / "wide2"], tmp_path / "out", rig=tmp_path / "rig.json")
    save_depth(tmp_path / "small_depth/0.png", np.full((36, 48), 900, np.uint16))
    with pytest.raises(ValueError, match=r"small_depth: depth images of \(48, 36\) pixels, expected \(128, 72\)"):
        run([tmp_path / "wide"], tmp_path / "out", depth=[tmp_path / "small_depth"])
    write_pictures(tmp_path / "cam2", WALK[:1])
    with pytest.raises(ValueError, match=r"the recordings have \[1, 2\] frames, expected as many"):
        run([folder, tmp_path / "cam2"], tmp_path / "out", rig=tmp_path / "rig.json")
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(ValueError, match="found suffix '.txt', expected a video, a picture or a folder"):
        run([tmp_path / "notes.txt"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_pictures_of_two_sizes_in_a_folder_are_two_runs_of_frames(tmp_path):
    pictures = [WALK[0], WALK[1], picture((20, 30, 8), size=(120, 90))]
    folder = write_pictures(tmp_path / "cam", pictures)
    done, _ = run([folder], tmp_path / "out")
    assert [read_image(path).shape for path in done.files] == [each.shape for each in pictures]
    assert SIZE != (120, 90) and not any(red(read_image(path)).any() for path in done.files)


def test_command_says_what_it_did_and_exits_with_1_where_a_frame_is_blank(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(_hide_detectors, "shipped_detectors", lambda device: detectors())
    folder = write_pictures(tmp_path / "cam", WALK[:3])
    assert hide.main([str(folder), "--out", str(tmp_path / "out"), "--how", "blur"]) == 0
    assert "3 frames, 0 of them blank" in capsys.readouterr().out
    (folder / "001.png").write_bytes(b"no picture")
    assert hide.main([str(folder), "--out", str(tmp_path / "again")]) == 1
    printed = capsys.readouterr()
    assert "3 frames, 1 of them blank" in printed.out and "problem: cam/001.png: written blank" in printed.err
    assert hide.main([str(folder), "--out", str(folder)]) == 1
    assert capsys.readouterr().err.startswith(f"error: {folder}: is, holds or lies in the input")
    assert hide.main([str(folder), "--out", str(tmp_path / "x"), "--margin", "9"]) == 1
    assert "error: margin: found 9.0, expected 0.5 to 5" in capsys.readouterr().err
