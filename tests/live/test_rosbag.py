"""Recordings of ROS 1 and ROS 2, written here by `rosbags`."""

import cv2
import numpy as np
import pytest

pytest.importorskip("rosbags", reason="pip install orplugins[rosbags]")
from types import SimpleNamespace

from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import Writer as Writer2
from rosbags.typesys import Stores, get_typestore

from orplugins.live.replay import Pace
from orplugins.live.rosbag import RosBagSource, image_of

COLOR, DEPTH, INFO = "/cam/color/image_raw", "/cam/depth/image_raw", "/cam/color/camera_info"
FAST = float("inf")


def write_bag(path, kind, frames=4, encoding="rgb8", broken=()):
    """Colour and depth of frames, 10 a second, depth 3 ms late; `broken` colour frames have half of their bytes."""
    store = get_typestore(Stores.ROS1_NOETIC if kind == 1 else Stores.ROS2_HUMBLE)
    types = store.types
    Header, Time = types["std_msgs/msg/Header"], types["builtin_interfaces/msg/Time"]
    Image, Info = types["sensor_msgs/msg/Image"], types["sensor_msgs/msg/CameraInfo"]
    Roi = types["sensor_msgs/msg/RegionOfInterest"]

    def header(seconds):
        stamp = Time(int(seconds), int(round(seconds % 1 * 1e9)))
        return Header(seq=0, stamp=stamp, frame_id="cam") if kind == 1 else Header(stamp=stamp, frame_id="cam")

    def info(seconds):
        roi = Roi(x_offset=0, y_offset=0, height=0, width=0, do_rectify=False)
        k, d = np.array([7.0, 0, 3.5, 0, 7.5, 2.5, 0, 0, 1]), np.array([0.1, 0, 0, 0, 0])
        names = ("D", "K", "R", "P") if kind == 1 else ("d", "k", "r", "p")
        values = dict(zip(names, (d, k, np.eye(3).ravel(), np.zeros(12)), strict=True))
        values |= dict(header=header(seconds), height=6, width=8, distortion_model="plumb_bob")
        return Info(binning_x=0, binning_y=0, roi=roi, **values)

    rgb = np.zeros((6, 8, 3), np.uint8)
    rgb[..., 0] = 200  # red
    writer = Writer1(path) if kind == 1 else Writer2(path, version=8)
    pack = store.serialize_ros1 if kind == 1 else store.serialize_cdr
    with writer:
        kinds = {COLOR: Image, DEPTH: Image, INFO: Info}
        topics = {t: writer.add_connection(t, m.__msgtype__, typestore=store) for t, m in kinds.items()}
        writer.write(topics[INFO], int(100e9), pack(info(100.0), Info.__msgtype__))
        for n in range(frames):
            at = 100 + n / 10
            data = rgb.ravel() if n not in broken else rgb.ravel()[:70]
            color = Image(header=header(at), height=6, width=8, encoding=encoding, is_bigendian=0, step=24, data=data)
            mm = np.full((6, 8), 1000 + n, np.uint16)
            same = dict(height=6, width=8, is_bigendian=0)
            depth = Image(header=header(at + 0.003), encoding="16UC1", step=16, data=mm.view(np.uint8).ravel(), **same)
            writer.write(topics[COLOR], int(at * 1e9), pack(color, Image.__msgtype__))
            writer.write(topics[DEPTH], int(at * 1e9) + 3_000_000, pack(depth, Image.__msgtype__))
    return path


def play(source):
    source.open()
    frames = list(source.frames())
    source.close()
    return frames


@pytest.mark.parametrize("kind", [1, 2])
def test_colour_and_depth(tmp_path, kind):
    source = RosBagSource(
        "cam", write_bag(tmp_path / ("r.bag" if kind == 1 else "r"), kind), (COLOR, DEPTH), Pace(FAST)
    )
    frames = play(source)
    assert [frame.number for frame in frames] == [0, 1, 2, 3] and frames[2].time == pytest.approx(100.2)
    assert frames[1].color[0, 0].tolist() == [0, 0, 200] and frames[3].depth[0, 0] == 1003  # RGB became BGR
    assert source.sizes == {"color": (8, 6), "depth": (8, 6)}
    assert source.camera.fx == 7.0 and source.camera.distortion[0] == pytest.approx(0.1)


def test_one_topic_and_the_only_ones(tmp_path):
    path = write_bag(tmp_path / "r.bag", 1)
    assert all(frame.color is None for frame in play(RosBagSource("cam", path, (DEPTH,), Pace(FAST))))
    assert len(play(RosBagSource("cam", path, (), Pace(FAST)))) == 4


def test_a_broken_message_is_a_broken_frame(tmp_path):
    frames = play(RosBagSource("cam", write_bag(tmp_path / "r.bag", 1, broken=(1,)), (COLOR,), Pace(FAST)))
    assert [frame.problem is None for frame in frames] == [True, False, True, True]
    assert "expected 6 rows" in frames[1].problem and COLOR in frames[1].problem


def test_what_is_no_recording(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such recording of ROS"):
        RosBagSource("a", tmp_path / "no.bag", (), Pace()).open()
    (tmp_path / "text.bag").write_text("nothing")
    with pytest.raises(ValueError, match="no recording of ROS 1 or 2"):
        RosBagSource("a", tmp_path / "text.bag", (), Pace()).open()
    path = write_bag(tmp_path / "r.bag", 1)
    with pytest.raises(ValueError, match=f"no images of topic /other, found {COLOR}, {DEPTH}"):
        RosBagSource("a", path, ("/other",), Pace()).open()
    with pytest.raises(ValueError, match="3 topics"):
        RosBagSource("a", path, ("/a", "/b", "/c"), Pace())


def message(array, encoding, step=None, big=0):
    data = np.ascontiguousarray(array)
    return SimpleNamespace(encoding=encoding, height=array.shape[0], width=array.shape[1], is_bigendian=big,
                           step=step or data.nbytes // array.shape[0], data=data.view(np.uint8).ravel())  # fmt: skip


def test_encodings():
    image = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)
    assert (image_of(message(image, "bgr8")) == image).all()
    assert (image_of(message(image, "rgb8")) == image[..., ::-1]).all()
    four = np.dstack([image, np.zeros((6, 8), np.uint8)])
    assert (image_of(message(four, "bgra8")) == image).all()
    assert (image_of(message(four, "rgba8")) == image[..., ::-1]).all()
    assert (image_of(message(image[..., 0], "mono8"))[..., 2] == image[..., 0]).all()
    mm = np.array([[0, 1500], [65535, 7]], np.uint16)
    assert image_of(message(mm, "16UC1")).tolist() == [[0, 1500], [0, 7]]
    assert image_of(message(mm.astype(">u2"), "16UC1", big=1)).tolist() == [[0, 1500], [0, 7]]
    metres = np.array([[np.nan, 1.5], [np.inf, 70.0]], np.float32)
    assert image_of(message(metres, "32FC1")).tolist() == [[0, 1500], [0, 0]]


def test_rows_that_are_padded():
    padded = np.zeros((6, 32), np.uint8)
    padded[:, :24] = np.arange(24)
    found = image_of(SimpleNamespace(encoding="bgr8", height=6, width=8, is_bigendian=0, step=32, data=padded.ravel()))
    assert (found.reshape(6, 24) == np.arange(24)).all()


def test_compressed():
    image = np.full((6, 8, 3), 90, np.uint8)
    _, png = cv2.imencode(".png", image)
    assert (image_of(SimpleNamespace(format="png", data=png.ravel())) == image).all()
    _, depth = cv2.imencode(".png", np.full((6, 8), 1200, np.uint16))
    data = np.concatenate([np.zeros(12, np.uint8), depth.ravel()])
    assert (image_of(SimpleNamespace(format="16UC1; compressedDepth", data=data)) == 1200).all()
    with pytest.raises(ValueError, match="no png"):
        image_of(SimpleNamespace(format="png", data=png.ravel()[:9]))


def test_encodings_that_are_not_known():
    with pytest.raises(ValueError, match="encoding 'bayer_rggb8'"):
        image_of(message(np.zeros((6, 8), np.uint8), "bayer_rggb8"))
