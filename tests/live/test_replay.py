"""Recordings as cameras: order, times, pace, broken frames."""

import time

import cv2
import numpy as np
import pytest

from orplugins.depth.png import save_depth
from orplugins.io.atomic import write_json
from orplugins.io.video import write_video
from orplugins.live.replay import Pace, ReplaySource

FAST = float("inf")


def color_folder(path, numbers, suffix=".png"):
    path.mkdir(parents=True, exist_ok=True)
    for n in numbers:
        cv2.imwrite(str(path / f"{n:06d}{suffix}"), np.full((6, 8, 3), n % 200, np.uint8))
    return path


def depth_folder(path, numbers):
    path.mkdir(parents=True, exist_ok=True)
    for n in numbers:
        save_depth(path / f"{n:06d}.png", np.full((6, 8), 1000 + n, np.uint16))
    return path


def play(source):
    source.open()
    frames = list(source.frames())
    source.close()
    return frames


def test_a_folder_of_colour(tmp_path):
    source = ReplaySource("a", color_folder(tmp_path, range(3, 8)), Pace(FAST), fps=10)
    frames = play(source)
    assert [frame.number for frame in frames] == [3, 4, 5, 6, 7] and frames[0].time == pytest.approx(0.3)
    assert frames[0].color.shape == (6, 8, 3) and frames[0].depth is None and frames[0].name == "000003.png"
    assert source.sizes == {"color": (8, 6)} and not source.live


def test_a_folder_of_depth(tmp_path):
    source = ReplaySource("a", depth_folder(tmp_path, range(4)), Pace(FAST), fps=10, depth_unit_mm=0.5)
    frames = play(source)
    assert frames[2].depth[0, 0] == 501 and frames[2].color is None and source.sizes == {"depth": (8, 6)}


def test_colour_and_depth_go_by_their_numbers(tmp_path):
    color_folder(tmp_path / "color", [1, 2, 3], ".jpg")
    depth_folder(tmp_path / "depth", [2, 3, 4])
    frames = play(ReplaySource("a", tmp_path, Pace(FAST), fps=10))
    assert [(f.number, f.color is not None, f.depth is not None) for f in frames] == [
        (1, True, False), (2, True, True), (3, True, True), (4, False, True)]  # fmt: skip


def test_names_that_are_time_stamps(tmp_path):
    stamps = [1_700_000_000_000 + 40 * k for k in range(6)]
    for n, stamp in enumerate(stamps):
        cv2.imwrite(str(tmp_path / f"{stamp}.png"), np.full((6, 8, 3), n, np.uint8))
    frames = play(ReplaySource("a", tmp_path, Pace(FAST)))
    assert np.allclose(np.diff([frame.time for frame in frames]), 0.04) and frames[0].time == pytest.approx(1.7e9)


def test_the_note_of_a_video(tmp_path):
    color_folder(tmp_path, range(4))
    write_json(tmp_path / "video.json", {"path": "v.mp4", "fps": 5.0, "size": [8, 6], "frames": 4, "rotation": 0})
    assert play(ReplaySource("a", tmp_path, Pace(FAST)))[3].time == pytest.approx(0.6)


def test_a_video(tmp_path):
    path = tmp_path / "v.avi"
    write_video(path, [np.full((16, 16, 3), 20 * k, np.uint8) for k in range(5)], fps=10)
    source = ReplaySource("a", path, Pace(FAST))
    frames = play(source)
    assert len(frames) == 5 and np.allclose([f.time for f in frames], np.arange(5) / 10, atol=1e-3)
    assert (
        frames[3].name == "v.avi#3" and abs(int(frames[3].color.mean()) - 60) < 4 and source.sizes["color"] == (16, 16)
    )


def test_a_broken_image_comes_as_a_problem(tmp_path):
    color_folder(tmp_path, range(3))
    (tmp_path / "000001.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    frames = play(ReplaySource("a", tmp_path, Pace(FAST), fps=10))
    assert [frame.problem is None for frame in frames] == [True, False, True] and "000001.png" in frames[1].problem


def test_a_video_that_is_cut_off(tmp_path):
    path = tmp_path / "v.avi"
    write_video(path, [np.full((64, 64, 3), k, np.uint8) for k in range(40)], fps=10)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    frames = play(ReplaySource("a", path, Pace(FAST)))
    assert frames[-1].problem and "v.avi" in frames[-1].problem and len(frames) < 40


def test_two_recordings_keep_step(tmp_path):
    pace = Pace(4.0)
    sources = [
        ReplaySource(n, color_folder(tmp_path / n, numbers), pace, fps=10)
        for n, numbers in (("a", range(2)), ("b", [4]))
    ]
    for source in sources:
        source.open()
    start = time.perf_counter()
    list(sources[0].frames())
    assert time.perf_counter() - start < 0.09  # 0.1 s of the recording, four times as fast
    list(sources[1].frames())
    assert 0.09 <= time.perf_counter() - start < 0.5  # its first frame comes 0.4 s after the first of the other


def test_closing_wakes_who_waits(tmp_path):
    import threading

    source = ReplaySource("a", color_folder(tmp_path, [0, 1]), Pace(0.001), fps=1)
    source.open()
    frames = []
    thread = threading.Thread(target=lambda: frames.extend(source.frames()))
    thread.start()
    time.sleep(0.1)
    source.close()
    thread.join(2)
    assert not thread.is_alive() and len(frames) == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "nothing", "no such recording"),
        (lambda folder: color_folder(folder / "x", range(3)), "--fps"),
        (lambda folder: (folder / "y").mkdir() or folder / "y", "no picture"),
        (lambda folder: (folder / "z.mp4").write_bytes(b"text") and folder / "z.mp4", "not a video"),
    ],
)
def test_what_is_no_recording(tmp_path, make, message):
    with pytest.raises((OSError, ValueError), match=message):
        ReplaySource("a", make(tmp_path), Pace()).open()


def test_two_images_of_one_frame(tmp_path):
    color_folder(tmp_path, [1])
    cv2.imwrite(str(tmp_path / "x000001.png"), np.zeros((6, 8, 3), np.uint8))
    with pytest.raises(ValueError, match="two color images of frame 1"):
        ReplaySource("a", tmp_path, Pace(), fps=10).open()


def test_speed():
    with pytest.raises(ValueError, match="speed: found 0"):
        Pace(0)
