"""Videos: frames out and in again, rotation, odd sizes, and what is refused."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

pytest.importorskip("cv2")

from variable_rate import with_durations  # noqa: E402

from orplugins.cli.video_frames import main as video_frames  # noqa: E402
from orplugins.io import video  # noqa: E402
from orplugins.io.images import find_pictures, image_files, natural_key, read_image, write_image  # noqa: E402
from orplugins.io.video import (  # noqa: E402
    NOTE,
    join_frames,
    probe_video,
    read_timed_video,
    read_video,
    split_video,
    varies,
    write_video,
)


def frames(count: int = 7, width: int = 96, height: int = 64) -> list[np.ndarray]:
    """Pictures whose upper left quarter is red, of a brightness that tells their number."""
    pictures = []
    for k in range(count):
        picture = np.full((height, width, 3), 20 + 20 * k, np.uint8)
        picture[: height // 2, : width // 2] = (0, 0, 255)
        pictures.append(picture)
    return pictures


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".mkv"])
@pytest.mark.parametrize("fps", [12.5, 30.0])
def test_what_is_written_is_read(tmp_path, suffix, fps):
    path = tmp_path / f"clip{suffix}"
    assert write_video(path, frames(), fps) == 7
    info = probe_video(path)
    assert info.size == (96, 64) and info.fps == pytest.approx(fps, rel=1e-3) and info.rotation == 0
    found = list(read_video(path))
    assert len(found) == 7
    for k, frame in enumerate(found):
        assert np.abs(frame.astype(int) - frames()[k]).mean() < 6
    assert [p.name for p in tmp_path.iterdir()] == [path.name]  # no temporary file stays


def test_odd_sizes_are_extended_by_a_line(tmp_path):
    write_video(tmp_path / "odd.mp4", frames(width=95, height=63), 10)
    assert probe_video(tmp_path / "odd.mp4").size == (96, 64)


def _rotate_flag(path) -> None:
    """Ask players to turn the stored picture by 90 degrees clockwise: the matrix of the track header."""
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4 + 4 + 20 + 8 + 8  # version 0: matrix after times, id, duration, layer, volume
    assert struct.unpack(">i", data[start : start + 4]) == (0x10000,)
    matrix = [0, 0x10000, 0, -0x10000, 0, 0, 64 << 16, 0, 0x40000000]
    data[start : start + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(data)


def test_rotation_flag_is_respected(tmp_path):
    path = tmp_path / "turned.mp4"
    write_video(path, frames(), 10)
    _rotate_flag(path)
    info = probe_video(path)
    assert info.size == (64, 96) and info.rotation in (90, 270)
    first = next(read_video(path))
    assert first.shape == (96, 64, 3)
    red = first[..., 2].astype(int) - first[..., 0]
    # Upper left turned clockwise is upper right.
    assert red[:40, 36:].mean() > 150 and red[:40, :28].mean() < 40 and red[56:].mean() < 40


def test_frames_and_back_keep_fps_and_order(tmp_path):
    write_video(tmp_path / "my.clip.v2.mp4", frames(12), 12.5)
    info = split_video(tmp_path / "my.clip.v2.mp4", tmp_path / "frames", suffix=".png")
    assert info.frames == 12 and (tmp_path / "frames" / NOTE).is_file()
    paths = image_files(tmp_path / "frames")
    assert [p.name for p in paths[:2]] == ["000000.png", "000001.png"]
    kept = paths[3].stat().st_mtime_ns
    paths[4].unlink()
    split_video(tmp_path / "my.clip.v2.mp4", tmp_path / "frames", suffix=".png")  # goes on where it stopped
    assert paths[4].is_file() and paths[3].stat().st_mtime_ns == kept
    assert join_frames(tmp_path / "frames", tmp_path / "again.mp4") == 12
    assert probe_video(tmp_path / "again.mp4").fps == pytest.approx(12.5, rel=1e-3)


def test_natural_order():
    assert sorted(["f10.jpg", "f9.jpg", "f1.jpg"], key=natural_key) == ["f1.jpg", "f9.jpg", "f10.jpg"]


def test_what_is_refused_names_the_file_and_leaves_nothing(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent.mp4"):
        probe_video(tmp_path / "absent.mp4")
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(ValueError, match="text.mp4: not a video"):
        list(read_video(tmp_path / "text.mp4"))
    (tmp_path / "empty.mp4").write_bytes(b"")
    with pytest.raises(ValueError, match="empty.mp4"):
        probe_video(tmp_path / "empty.mp4")
    mixed = [*frames(2), *frames(1, width=80)]
    with pytest.raises(ValueError, match="frame 2 is 80x64, expected 96x64"):
        write_video(tmp_path / "mixed.mp4", mixed, 10)
    with pytest.raises(ValueError, match="no frame"):
        write_video(tmp_path / "none.mp4", [], 10)
    with pytest.raises(ValueError, match="suffix"):
        write_video(tmp_path / "clip.gif", frames(), 10)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty.mp4", "text.mp4"]


def test_a_cut_off_video_gives_its_frames_then_an_error(tmp_path):
    path = tmp_path / "cut.avi"
    noise = np.random.default_rng(0).integers(0, 255, (40, 64, 96, 3), dtype=np.uint8)
    write_video(path, list(noise), 10)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    count = 0
    with pytest.raises(ValueError, match="cut off.*declares 40"):
        for _ in read_video(path):
            count += 1
    assert 5 < count < 35


def test_folders_and_pictures(tmp_path):
    with pytest.raises(FileNotFoundError, match="no picture"):
        image_files(tmp_path)
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8nothing")
    with pytest.raises(ValueError, match="broken.jpg: not a picture"):
        read_image(tmp_path / "broken.jpg")
    (tmp_path / "broken.jpg").unlink()
    write_image(tmp_path / "a1.png", frames(1)[0])
    with pytest.raises(FileNotFoundError, match="video.json"):
        join_frames(tmp_path, tmp_path / "out.mp4")
    write_image(tmp_path / "a2.png", frames(1, width=48)[0])
    with pytest.raises(ValueError, match="a2.png: 48x64 pixels, expected 96x64 as a1.png"):
        join_frames(tmp_path, tmp_path / "out.mp4", fps=5)


def test_folders_below_in_natural_order_without_hidden_files(tmp_path):
    for name in ("b/f10.png", "b/f9.png", "a2.png", ".hidden.png", "note.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_image(tmp_path / name, frames(1)[0]) if name.endswith("png") else (tmp_path / name).touch()
    assert [p.name for p in image_files(tmp_path)] == ["a2.png"]
    assert [p.name for p in find_pictures([tmp_path, tmp_path / "note.txt"])] == [
        "a2.png",
        "f9.png",
        "f10.png",
        "note.txt",
    ]
    with pytest.raises(FileNotFoundError, match="absent"):
        find_pictures([tmp_path, tmp_path / "absent"])


def test_pictures_that_are_cut_off_or_no_colour_are_errors(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (64, 96, 3), dtype=np.uint8)
    for suffix in (".jpg", ".png"):
        path = tmp_path / f"cut{suffix}"
        write_image(path, noise)
        path.write_bytes(path.read_bytes()[:-2000])
        with pytest.raises(ValueError, match=f"cut{suffix}: not a picture, or damaged"):
            read_image(path)
    write_image(tmp_path / "depth.png", np.full((4, 4), 2000, np.uint16))
    with pytest.raises(ValueError, match="depth.png: .*more than 8 bits"):
        read_image(tmp_path / "depth.png")
    write_image(tmp_path / "grey.png", np.full((4, 6), 7, np.uint8))
    assert (read_image(tmp_path / "grey.png") == np.full((4, 6, 3), 7)).all()


def test_the_exif_orientation_is_applied(tmp_path):
    from PIL import Image

    picture = Image.fromarray(np.zeros((4, 6, 3), np.uint8))
    exif = picture.getexif()
    exif[0x0112] = 6  # turned by a quarter
    picture.save(tmp_path / "turned.jpg", exif=exif)
    assert read_image(tmp_path / "turned.jpg").shape == (6, 4, 3)


def test_a_variable_rate_is_kept_as_time_stamps(tmp_path):
    path = tmp_path / "clip.mp4"
    write_video(path, frames(6), 10)
    with_durations(path, [1, 1, 1, 10, 1, 1])
    times = [time for _, time in read_timed_video(path)]
    np.testing.assert_allclose(times, [0, 0.1, 0.2, 0.3, 1.3, 1.4], atol=2e-3)
    assert varies(times) and not varies([0, 0.033, 0.067, 0.1])
    split_video(path, tmp_path / "frames")
    assert json.loads((tmp_path / "frames" / NOTE).read_text())["times"] == pytest.approx(times)
    assert join_frames(tmp_path / "frames", tmp_path / "again.mp4") == 6
    info = probe_video(tmp_path / "again.mp4")
    assert info.frames == 15 and info.fps == pytest.approx(10, rel=1e-2)  # the fourth is seen ten times as long


def test_frames_are_counted_back_before_a_file_gets_its_name(tmp_path, monkeypatch):
    path = tmp_path / "clip.mp4"
    write_video(path, frames(3), 10)
    before = path.read_bytes()
    monkeypatch.setattr(video, "_count", lambda temporary: 2)
    with pytest.raises(OSError, match="2 of 4 frames can be read back, nothing was written"):
        write_video(path, frames(4), 10)
    assert path.read_bytes() == before and sorted(p.name for p in tmp_path.iterdir()) == ["clip.mp4"]


def test_frames_of_two_videos_are_not_mixed(tmp_path):
    for cam in ("cam1", "cam2"):
        write_video(tmp_path / cam / "rec.mp4", frames(2), 10)
    split_video(tmp_path / "cam1/rec.mp4", tmp_path / "frames")
    with pytest.raises(ValueError, match="holds frames of .*cam1/rec.mp4"):
        split_video(tmp_path / "cam2/rec.mp4", tmp_path / "frames")
    both = [str(tmp_path / cam / "rec.mp4") for cam in ("cam1", "cam2")]
    assert video_frames(["split", *both, "--out", str(tmp_path / "all")]) == 0
    assert all((tmp_path / "all" / cam / "rec/000001.jpg").is_file() for cam in ("cam1", "cam2"))
