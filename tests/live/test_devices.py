"""RealSense and Kinect for Azure, through libraries with the interface of the real ones and recorded frames."""

import sys

import cv2
import numpy as np
import pytest
from fake_devices import fake_k4a, fake_realsense

from orplugins.live.frames import SourceLost
from orplugins.live.k4a import KinectAzureSource
from orplugins.live.realsense import RealSenseSource

COLOR, COUNTS = np.full((6, 8, 3), 9, np.uint8), np.full((6, 8), 2000, np.uint16)


def take(source, count=99):
    frames = []
    for frame in source.frames():
        frames.append(frame)
        if len(frames) == count:
            break
    return frames


def test_realsense():
    library = fake_realsense([(COLOR, COUNTS)] * 3, scale=0.00025)
    source = RealSenseSource("rs", "0123", library=library)
    source.open()
    frames = take(source, 3)
    source.close()
    assert [frame.number for frame in frames] == [1, 2, 3] and frames[1].time == pytest.approx(2 / 30)
    assert (frames[0].depth == 500).all() and (frames[0].color == 9).all()  # counts of a quarter of a millimetre
    assert source.sizes == {"color": (8, 6), "depth": (8, 6)} and source.camera.fx == 7.0 and source.live
    assert library.state.serial == "0123" and library.state.stopped == 1


def test_frames_are_copies():
    """The library uses its buffers again."""
    buffer = COLOR.copy()
    source = RealSenseSource("rs", library=fake_realsense([(buffer, COUNTS)]))
    source.open()
    frame = take(source, 1)[0]
    buffer[:] = 77
    assert (frame.color == 9).all()


def test_realsense_frames_that_lack_an_image():
    source = RealSenseSource(
        "rs", library=fake_realsense([(COLOR, None), (None, COUNTS), (COLOR, COUNTS[:3]), (COLOR, COUNTS)])
    )
    source.open()
    problems = [frame.problem for frame in take(source, 4)]
    assert "no depth" in problems[0] and "no colour" in problems[1] and "expected one size" in problems[2]
    assert problems[3] is None


def test_a_realsense_that_is_lost_and_comes_back():
    library = fake_realsense([(COLOR, COUNTS)] * 4, fail_after=2)
    source = RealSenseSource("rs", library=library)
    source.open()
    with pytest.raises(SourceLost, match="Device disconnected"):
        take(source)
    source.close()
    source.open()
    assert len(take(source, 2)) == 2 and library.state.started == 2


def test_a_realsense_that_is_silent():
    source = RealSenseSource("rs", library=fake_realsense([]))
    source.open()
    with pytest.raises(SourceLost, match="no frame for 2 s"):
        take(source)


def test_a_realsense_recording_ends(tmp_path):
    path = tmp_path / "r.bag"
    path.write_bytes(b"recorded")
    library = fake_realsense([(COLOR, COUNTS)] * 2)
    source = RealSenseSource("rs", recording=path, library=library)
    source.open()
    assert len(take(source)) == 2 and not source.live and library.state.files == [(str(path), False)]


def test_a_lens_that_opencv_does_not_have():
    library = fake_realsense([])
    profile = library.pipeline().start(None)
    lens = profile.get_stream("color").as_video_stream_profile().get_intrinsics()
    lens.model, lens.coeffs = "inverse_brown_conrady", [0.1, 0, 0, 0, 0]
    source = RealSenseSource("rs", library=library)
    source.open()
    assert source.camera.distortion == () and "inverse_brown_conrady" in source.notes[0]


def test_no_realsense():
    with pytest.raises(SourceLost, match="rs: RealSense .*No device connected"):
        RealSenseSource("rs", library=fake_realsense([], present=False)).open()
    with pytest.raises(FileNotFoundError, match="no such recording"):
        RealSenseSource("rs", recording="/nowhere.bag", library=fake_realsense([])).open()


def test_libraries_that_are_not_installed(monkeypatch):
    for module in ("pyrealsense2", "pyk4a"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r"pip install orplugins\[realsense\]"):
        RealSenseSource("rs").open()
    with pytest.raises(ImportError, match=r"pip install orplugins\[k4a\]"):
        KinectAzureSource("k4a").open()


BGRA = np.dstack([np.full((720, 1280, 3), 5, np.uint8), np.full((720, 1280), 255, np.uint8)])
MM = np.full((720, 1280), 1500, np.uint16)


def test_k4a():
    library = fake_k4a([(BGRA, MM)] * 2)
    source = KinectAzureSource("k", library=library)
    source.open()
    frames = take(source, 2)
    source.close()
    assert frames[0].color.shape == (720, 1280, 3) and (frames[1].depth == 1500).all()
    assert frames[1].time - frames[0].time == pytest.approx(1 / 15, abs=1e-5)
    assert source.camera.size == (1280, 720) and source.camera.fx == 600 and library.state.stopped == 1


def test_a_k4a_recording_of_jpeg(tmp_path):
    path = tmp_path / "r.mkv"
    path.write_bytes(b"recorded")
    _, jpeg = cv2.imencode(".jpg", BGRA[..., :3])
    captures = [(None, None), (jpeg.reshape(-1), MM), (jpeg.reshape(-1)[:20], MM), (jpeg.reshape(-1), None)]
    source = KinectAzureSource("k", recording=path, library=fake_k4a(captures))
    source.open()
    frames = take(source)
    assert len(frames) == 3 and not source.live  # a capture without any image is none
    assert frames[0].color.shape == (720, 1280, 3) and "expected one size" in frames[1].problem
    assert "no depth image" in frames[2].problem


def test_a_k4a_that_is_silent_or_lost():
    source = KinectAzureSource("k", library=fake_k4a([(BGRA, MM)] * 2, fail_after=1))
    source.open()
    with pytest.raises(SourceLost, match="no frame for 2 s"):
        take(source)
    with pytest.raises(SourceLost, match="the device failed gone"):
        take(source)


def test_no_k4a(tmp_path):
    with pytest.raises(SourceLost, match="k: Kinect for Azure, device 3"):
        KinectAzureSource("k", 3, library=fake_k4a([], present=False)).open()
    with pytest.raises(FileNotFoundError, match="no such recording"):
        KinectAzureSource("k", recording=tmp_path / "no.mkv", library=fake_k4a([])).open()
    (tmp_path / "r.mkv").write_bytes(b"")
    with pytest.raises(ValueError, match="colour resolution OFF"):
        KinectAzureSource("k", recording=tmp_path / "r.mkv", library=fake_k4a([], resolution="OFF")).open()
    with pytest.raises(ValueError, match="5, 15 or 30"):
        KinectAzureSource("k", fps=20)
