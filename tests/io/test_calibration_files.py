"""Calibration files written in every form and read again; the command; damaged and hostile files."""

import itertools
import json
import re
import time
from dataclasses import replace

import calibration_files as files
import numpy as np
import pytest

from orplugins.cli.calibration import main
from orplugins.geometry.cameras import Camera
from orplugins.io.calibration import is_parallel, load_camera, read_cameras, read_parallel, read_rig
from orplugins.io.calibration.convert import convert_calibration, describe_calibration
from orplugins.io.calibration.write import written
from orplugins.structures import Rig

LENSES = {
    "none": ("opencv", ()),
    "4": ("opencv", (0.1, -0.2, 0.001, -0.002)),
    "5": ("opencv", tuple(files.DIST)),
    "mvor": ("mvor", (0.1, -0.2, 0.05, 0.001, -0.002)),
    "8": ("opencv", tuple(np.linspace(0.1, -0.1, 8))),
    "14": ("opencv", tuple(np.linspace(0.1, -0.1, 14))),
    "fisheye": ("fisheye", (0.05, -0.01, 0.003, -0.001)),
}
OUT = {"json": "rig.json", "toml": "rig.toml", "kalibr": "chain.yaml", "opencv": "folder", "openpose": "folder"}


def three_cameras(lens: str, first: bool = False) -> Rig:
    """Around a room, looking at its middle; names that no file could have as they are."""
    order, numbers = LENSES[lens]
    cameras = []
    for angle, height in ((0.3, 2.1), (2.5, 2.3), (4.4, 2.7)):
        place = np.array([3 * np.cos(angle), 3 * np.sin(angle), height])
        ahead = np.array([0.1, 0.0, 1.0]) - place
        z = ahead / np.linalg.norm(ahead)
        x = np.cross(z, [0, 0, 1.0])
        x /= np.linalg.norm(x)
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = np.stack([x, np.cross(z, x), z], 1), place
        cameras.append(Camera(905.3, 904.1, 641.7, 363.3, (1280, 720), numbers, order, pose=pose, depth_unit_mm=0.25))
    if first:
        cameras = [replace(c, pose=np.linalg.inv(cameras[0].pose) @ c.pose) for c in cameras]
    return Rig(cameras, ["ceiling b", "../a", "wall c"], None if first else np.array([0.0, 0.0, 1.0]))


def store(rig: Rig, path) -> None:
    path.write_text(written(rig, "json")[""])


def same(found: Rig, rig: Rig) -> None:
    assert len(found.cameras) == len(rig.cameras)
    pixels = np.random.default_rng(0).uniform([100, 100], [1180, 620], (20, 2))
    for a, b in zip(found.cameras, rig.cameras, strict=True):
        np.testing.assert_allclose(a.matrix, b.matrix, atol=1e-9)
        np.testing.assert_allclose(a.pose, b.pose, atol=1e-9)
        assert a.size == b.size
        np.testing.assert_allclose(a.undistort(pixels), b.undistort(pixels), atol=1e-6)


@pytest.mark.parametrize(("form", "lens"), itertools.product(OUT, LENSES))
def test_round_trip(tmp_path, form, lens):
    rig = three_cameras(lens, first=form == "kalibr")
    store(rig, tmp_path / "in.json")
    same(read_rig(tmp_path / "in.json"), rig)
    out = tmp_path / OUT[form]
    refused = {("kalibr", "5"), ("kalibr", "mvor"), ("kalibr", "8"), ("kalibr", "14"), ("openpose", "fisheye")}
    if (form, lens) in refused:
        with pytest.raises(ValueError, match="ceiling b: .*expected"):
            convert_calibration(tmp_path / "in.json", out, form)
        assert not out.exists()
        return
    notes = convert_calibration(tmp_path / "in.json", out, form)
    found = read_rig(out)
    same(found, rig)
    if form not in ("kalibr", "openpose"):
        assert found.cameras[1].depth_unit_mm == 0.25 and found.names == rig.names
    if form == "json":
        assert found.up.tolist() == [0, 0, 1] and not notes
    elif form != "kalibr":
        assert any("vertical" in note for note in notes)
    inside = {path.name for path in tmp_path.iterdir()}
    assert inside == {"in.json", OUT[form]}  # a name in the file leads nowhere else
    back = tmp_path / "back.json"
    convert_calibration(out, back)
    same(read_rig(back), rig)


def test_kalibr_moves_the_world_to_its_first_camera(tmp_path):
    rig = three_cameras("4")
    store(rig, tmp_path / "in.json")
    notes = convert_calibration(tmp_path / "in.json", tmp_path / "c.yaml", "kalibr")
    assert any("the world is the first camera now" in note for note in notes)
    found = read_rig(tmp_path / "c.yaml")
    first = np.linalg.inv(rig.cameras[0].pose)
    for a, b in zip(found.cameras, rig.cameras, strict=True):
        np.testing.assert_allclose(a.pose, first @ b.pose, atol=1e-9)


@pytest.mark.parametrize("lens", LENSES)
def test_one_camera_round_trip(tmp_path, lens):
    order, numbers = LENSES[lens]
    camera = Camera(905.3, 904.1, 641.7, 363.3, (1280, 720), numbers, order, depth_unit_mm=0.25)
    rig = Rig([camera], ["camera1"], None)
    store(rig, tmp_path / "in.json")
    assert "fx" in json.loads((tmp_path / "in.json").read_text())
    for form, name in (("json", "a.json"), ("opencv", "a.yaml"), ("toml", "a.toml")):
        convert_calibration(tmp_path / "in.json", tmp_path / name, form)
        same(read_cameras(tmp_path / name), rig)
        assert load_camera(tmp_path / name).depth_unit_mm == 0.25


def test_opencv_reads_what_is_written(tmp_path):
    cv2 = pytest.importorskip("cv2")
    rig = three_cameras("8")
    store(rig, tmp_path / "in.json")
    for form, names in (("opencv", ("camera_matrix", "R")), ("openpose", ("Intrinsics", "CameraMatrix"))):
        convert_calibration(tmp_path / "in.json", tmp_path / form, form)
        for path, camera in zip(sorted((tmp_path / form).iterdir()), rig.cameras, strict=True):
            storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_READ)
            k, pose = (storage.getNode(name).mat() for name in names)
            np.testing.assert_allclose(k, camera.matrix)
            np.testing.assert_allclose(pose[:, :3], camera.pose[:3, :3].T, atol=1e-12)


def test_a_pair_stays_a_pair(tmp_path):
    (tmp_path / "p.json").write_text(json.dumps({"parallel": files.PAIR | {"baseline_m": 280, "cx_right": 310.0}}))
    convert_calibration(tmp_path / "p.json", tmp_path / "m.json", unit="mm", size=(320, 240))
    pair = read_parallel(tmp_path / "m.json")
    assert pair.baseline_m == pytest.approx(0.28) and pair.focal_px == 262.5 and pair.size == (320, 240)
    assert pair.right[0] == (310.5 / 2 - 0.5)
    convert_calibration(tmp_path / "m.json", tmp_path / "t.toml", "toml")
    assert not is_parallel(tmp_path / "t.toml") and read_rig(tmp_path / "t.toml").cameras[1].pose[0, 3] == 0.28


def test_a_folder_is_for_these_cameras_alone(tmp_path):
    store(three_cameras("5"), tmp_path / "in.json")
    with pytest.raises(ValueError, match="holds 'in.json' already"):
        convert_calibration(tmp_path / "in.json", tmp_path, "openpose")
    with pytest.raises(ValueError, match="is a file, expected a folder"):
        convert_calibration(tmp_path / "in.json", tmp_path / "in.json", "openpose")
    with pytest.raises(ValueError, match="suffix '.json', expected .toml"):
        convert_calibration(tmp_path / "in.json", tmp_path / "in.json", "toml")


# --- the command


def test_command(tmp_path, capsys):
    store(three_cameras("fisheye"), tmp_path / "in.json")
    assert main(["show", str(tmp_path / "in.json")]) == 0
    shown = capsys.readouterr().out
    assert "3 cameras" in shown and "../a: 1280x720" in shown and "fisheye lens of 4 numbers" in shown
    assert "baselines 4." in shown and "vertical of the world: (0, 0, 1)" in shown and "depth in 0.25 mm" in shown
    assert main(["convert", str(tmp_path / "in.json"), "--out", str(tmp_path / "out.toml"), "--to", "toml"]) == 0
    printed = capsys.readouterr()
    assert "written to" in printed.out and "warning: the world's vertical" in printed.err
    same(read_rig(tmp_path / "out.toml"), three_cameras("fisheye"))


def test_command_says_what_is_impossible(tmp_path, capsys):
    record = json.loads(written(three_cameras("5"), "json")[""])
    for camera in record["cameras"]:
        camera["t"] = [1000 * value for value in camera["t"]]
    del record["unit"]
    path = tmp_path / "mm.json"
    path.write_text(json.dumps(record))
    assert main(["show", str(path)]) == 1
    printed = capsys.readouterr()
    assert "3 cameras" in printed.out and "look like millimetres" in printed.err
    assert main(["convert", str(path), "--out", str(tmp_path / "m.json")]) == 1
    printed = capsys.readouterr().err
    assert printed.startswith(f"error: {path}: ") and printed.count("\n") == 1 and not (tmp_path / "m.json").exists()
    assert main(["convert", str(path), "--unit", "mm", "--out", str(tmp_path / "m.json")]) == 0
    same(read_rig(tmp_path / "m.json"), three_cameras("5"))
    assert main(["show", str(tmp_path / "none.json")]) == 1
    assert "no such file" in capsys.readouterr().err


def test_command_turns_poses(tmp_path, capsys):
    record = json.loads(written(three_cameras("none"), "json")[""])
    for camera in record["cameras"]:
        rotation, t = np.array(camera["R"]), np.array(camera["t"])
        camera["R"], camera["t"] = rotation.T.tolist(), (-rotation.T @ t).tolist()
    del record["pose"]
    path = tmp_path / "turned.json"
    path.write_text(json.dumps(record))
    assert main(["show", str(path)]) == 1
    assert "poses look like camera to world" in capsys.readouterr().err
    assert main(["convert", str(path), "--camera-to-world", "--out", str(tmp_path / "m.json")]) == 0
    same(read_rig(tmp_path / "m.json"), three_cameras("none"))


def test_description_of_a_guessed_size(tmp_path):
    files.write(tmp_path, {"a.xml": files.openpose_xml(files.rig()["cameras"][0])})
    text, findings = describe_calibration(tmp_path / "a.xml")
    assert "note: camera1: the file says no image size" in text and not findings


# --- damaged and hostile files


HOSTILE = {
    "deep.json": "[" * 100_000,
    "deep.yaml": "[" * 5_000,
    "deep.toml": "a = " + "[" * 50_000,
    "keys.toml": ".".join(["a"] * 50_000) + " = 1",
    "deep.xml": "<a>" * 50_000 + "</a>" * 50_000,
    "aliases.yaml": "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [{f'*a{i - 1}, ' * 10}]\n" for i in range(1, 15)),
    "circle.yaml": "cameras: &a\n  - *a\n",
    "entities.xml": '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><opencv_storage>&b;</opencv_storage>',
    "outside.xml": '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    "python.yaml": '!!python/object/apply:os.system ["true"]',
    "digits.json": '{"fx": ' + "9" * 400 + "}",
    "digits.yaml": "fx: " + "9" * 400,
    "digits.toml": "fx = " + "9" * 400,
    "more_digits.yaml": "fx: " + "9" * 5000,
    "nan.yaml": "fx: .nan\nfy: 5\ncx: 5\ncy: 5\nsize: [9, 9]",
    "null_key.yaml": "~: 5",
    "twice.yaml": "fx: 5\nfx: 6",
    "date.toml": "fx = 2024-01-01",
    "large.yaml": "[" + "1, " * 200_000 + "1]",
    "large.json": "[" + "1," * 1_000_000 + "1]",
    "many.xml": "<opencv_storage>" + "".join(f"<a{i}>1</a{i}>" for i in range(20_000)) + "</opencv_storage>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_end_in_one_error(tmp_path, name):
    path = tmp_path / name
    path.write_text(HOSTILE[name])
    start = time.monotonic()
    for reader in (read_rig, load_camera):
        with pytest.raises(ValueError, match=re.escape(str(path))) as error:
            reader(path)
        assert "\n" not in str(error.value) and len(str(error.value)) < 600
    assert time.monotonic() - start < 20


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_encodings(tmp_path, encoding):
    for name, text in (files.one_camera_files() | {"calibration.toml": files.toml()}).items():
        path = tmp_path / name
        path.write_bytes(("\n" + text).replace("\n", "\r\n").encode(encoding))
        cameras = read_cameras(path).cameras
        np.testing.assert_allclose(cameras[0].matrix, files.K)
    path.write_bytes("name = 'caf\u00e9'".encode("latin-1"))
    with pytest.raises(ValueError, match="not UTF-8 text"):
        read_rig(path)


TOKENS = b'nan -1 0 1e400 null [] {} "" true 1e308 [[1,2],[3]] &a *a \x00 \xff <x/> \n 1e5'.split(b" ") + [b"9" * 50]


@pytest.mark.parametrize("name", [*files.two_camera_files(), *files.one_camera_files()])
def test_damaged_files_are_read_or_refused(tmp_path, name):
    text = (files.two_camera_files() | files.one_camera_files())[name].encode()
    rng, path, clear = np.random.default_rng(0), tmp_path / name, 0
    for _ in range(30):
        parts = list(re.finditer(rb'-?\d+(\.\d+)?|"[^"]*"|[A-Za-z_]{2,}', text))
        part = parts[rng.integers(len(parts))]
        cut = int(rng.integers(len(text)))
        damaged = [
            text[: part.start()] + TOKENS[rng.integers(len(TOKENS))] + text[part.end() :],
            text[:cut],
            text[:cut] + TOKENS[rng.integers(len(TOKENS))] + text[cut:],
        ][int(rng.integers(3))]
        path.write_bytes(damaged)
        try:
            read_cameras(path)
        except ValueError as error:
            clear += 1
            assert str(error).startswith(str(path)) and "\n" not in str(error)
    assert clear > 5
