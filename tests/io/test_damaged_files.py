"""Single kinds of damage that readers once took for good, stumbled over, or hung on."""

import os
import struct
import zlib

import numpy as np
import pytest

from orplugins.io.images import read_image
from orplugins.io.kinect_files import JOINT_NAMES, KinectRecord, read_kinect_export, read_kinect_record
from orplugins.io.kinect_files import write_kinect_record as write_record
from orplugins.motion.recordings import read_recording

NOBODY = " ".join(["nan nan nan 0"] * 19)


def record(path, lines):
    text = "# kinect-record 1.0\n# fps: 30\n" + "".join(f"{frame} {time} 0 1 2 3 2 {NOBODY}\n" for frame, time in lines)
    path.write_text(text)
    return path


def csv(path, times, change=lambda rows: rows):
    head = ["Time", *(f"{joint}{axis}" for joint in JOINT_NAMES for axis in "XYZ")]
    rows = change([head, *([str(time), *["0.1", "0.2", "2.5"] * 20] for time in times)])
    path.write_text("\n".join(",".join(row) for row in rows))
    return path


# ---- numbers that are no frame numbers


@pytest.mark.parametrize(
    "frames", [(0, 10**15), (5, 500_000_000), (1700000000000, 1700000000033, 1700000000067), (0, 33, 66, 100)]
)
def test_time_stamps_are_no_frame_numbers(tmp_path, frames):
    path = record(tmp_path / "r.txt", [(frame, k / 30) for k, frame in enumerate(frames)])
    with pytest.raises(ValueError, match=r"r.txt: .*frame numbers from .* time stamps\?"):
        read_recording(path)


def test_lost_frames_are_still_filled_in(tmp_path):
    path = record(tmp_path / "r.txt", [(frame, frame / 30) for frame in (7, 8, 40, 41)])
    assert len(read_recording(path).xyz) == 35


@pytest.mark.parametrize(
    ("frame", "time", "message"),
    [("nan", 0, "'frame' is nan"), ("1.5", 0, "'frame' is 1.5"), ("inf", 0, "'frame' is inf"), ("0", "nan", "time"),
     ("9" * 400, 0, "'frame'")],
)  # fmt: skip
def test_numbers_of_a_record_are_checked(tmp_path, frame, time, message):
    with pytest.raises(ValueError, match=f"r.txt: .*{message}"):
        read_kinect_record(record(tmp_path / "r.txt", [(frame, time)]))


@pytest.mark.parametrize("fps", ["inf", "nan", "-1", "1e400", "99999"])
def test_frame_rates_that_are_none(tmp_path, fps):
    path = record(tmp_path / "r.txt", [(0, 0)])
    path.write_text(path.read_text().replace("fps: 30", f"fps: {fps}"))
    with pytest.raises(ValueError, match="r.txt: .*fps"):
        read_kinect_record(path)


@pytest.mark.parametrize("unit", [1.0, 1e3, 1e6, 1e7, 1e9], ids=["s", "ms", "us", "ticks", "ns"])
def test_a_kinect_programs_time_is_in_any_unit(tmp_path, unit):
    stamps = [round((5 + k / 30) * unit, 4) for k in range(4)]
    found = read_kinect_export(csv(tmp_path / "k.csv", stamps))
    assert abs(found.fps - 30) < 0.05 and abs(np.diff(found.time) - 1 / 30).max() < 1e-3


@pytest.mark.parametrize("times", [(0, 0.03, 0.03), (0, "nan", 1), (0, 5e9, 1e10), (3, 2, 1), (0, 5e-5, 1e-4)])
def test_times_that_are_none(tmp_path, times):
    with pytest.raises(ValueError, match="k.csv: 'Time'"):
        read_kinect_export(csv(tmp_path / "k.csv", times))


# ---- text of other forms


def test_a_short_line_is_named(tmp_path):
    path = csv(tmp_path / "k.csv", (0, 0.1), lambda rows: [*rows[:2], rows[2][:9]])
    with pytest.raises(ValueError, match="k.csv: line 3 has 9 columns, expected 61"):
        read_kinect_export(path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_encodings_with_a_mark_are_read(tmp_path, encoding):
    path = csv(tmp_path / "k.csv", (0, 1 / 30))
    path.write_bytes(path.read_text().encode(encoding))
    assert len(read_kinect_export(path).frame) == 2


@pytest.mark.parametrize("damage", [lambda text: text.encode("utf-16-le"), lambda text: text.encode("cp500"),
                                    lambda text: text.replace("0.2", "0.\0", 1).encode()])  # fmt: skip
def test_other_encodings_are_refused(tmp_path, damage):
    path = csv(tmp_path / "k.csv", (0, 1 / 30))
    path.write_bytes(damage(path.read_text()))
    with pytest.raises(ValueError, match="k.csv: (not UTF-8|has a NUL|the header lacks|1 lines)"):
        read_kinect_export(path)


# ---- paths that are no files


@pytest.mark.parametrize("name", ["r.txt", "r.npz", "r.npy", "r.csv"])
def test_pipes_folders_and_circles_do_not_hang(tmp_path, name):
    path = tmp_path / name
    os.mkfifo(path)
    with pytest.raises(ValueError, match="is a pipe"):
        read_recording(path)
    path.unlink()
    path.symlink_to(name)
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_recording(path)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(ValueError, match="pipe, socket or device"):
        read_recording(path)


# ---- recordings as arrays


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"state": np.full((2, 17), 7)}, "'state' holds 7"),
        ({"state": np.full((2, 17), 2), "xyz": np.full((2, 17, 3), np.nan)}, "'xyz' holds infinity, or NaN"),
        ({"fps": np.array(0.0)}, "'fps' is 0"),
        ({"fps": np.array([1.0, 2.0])}, "'fps'"),
        ({"layout": np.array("itop_15")}, "layout 'itop_15' with 17 joints"),
        ({"layout": np.array(3)}, "'layout' is 3"),
        ({"xyz": np.ones((2, 17, 4))}, "xyz"),
        ({"xyz": np.full((2, 17, 3), "a")}, "xyz <U1"),
    ],
)
def test_clips_of_motion_are_checked(tmp_path, arrays, message):
    good = {
        "xyz": np.ones((2, 17, 3)),
        "state": np.full((2, 17), 2),
        "fps": np.array(25.0),
        "layout": np.array("h36m_17"),
    }
    np.savez(tmp_path / "m.npz", **good)
    assert len(read_recording(tmp_path / "m.npz").xyz) == 2
    np.savez(tmp_path / "m.npz", **{**good, **arrays})
    with pytest.raises(ValueError, match=f"m.npz: .*{message}"):
        read_recording(tmp_path / "m.npz")


def test_a_record_goes_there_and_back(tmp_path):
    xyz = np.round(np.random.default_rng(0).normal(size=(3, 20, 3)), 6)
    write_record(tmp_path / "r.txt", KinectRecord(np.arange(3), np.arange(3) / 25, np.zeros(3, int), xyz,
                                                  np.full((3, 20), 2), 25.0, "kinect_v1", "absolute"))  # fmt: skip
    np.testing.assert_array_equal(read_kinect_record(tmp_path / "r.txt").xyz, xyz)


# ---- pictures and videos


def png(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")


def test_pictures_that_claim_too_much_or_are_of_other_formats(tmp_path):
    from PIL import Image

    from orplugins.depth.png import load_depth

    path = tmp_path / "p.png"
    path.write_bytes(png(60000, 60000))
    with pytest.raises(ValueError, match="p.png: .*(60000x60000|3600000000 pixels)"):
        read_image(path)
    for kind in ("DDS", "TGA", "ICNS", "EPS", "PDF"):
        Image.new("RGB", (16, 16)).save(path, format=kind)
        for read in (read_image, load_depth):
            with pytest.raises(ValueError, match="p.png: "):
                read(path)
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(path, format="JPEG")
    path.write_bytes(path.read_bytes()[:-900])
    with pytest.raises(ValueError, match="p.png: .*trunc"):
        read_image(path)


def test_a_play_list_is_no_video(tmp_path):
    from orplugins.io.video import read_video, write_video

    write_video(tmp_path / "a.avi", [np.zeros((48, 64, 3), np.uint8)] * 3, 10)
    for text in ("#EXTM3U\n#EXTINF:1,\na.avi\n#EXT-X-ENDLIST\n", "ffconcat version 1.0\nfile a.avi\n"):
        (tmp_path / "b.mp4").write_text(text)
        with pytest.raises(ValueError, match="b.mp4: not a video"):
            next(read_video(tmp_path / "b.mp4"))


# ---- JSON


@pytest.mark.parametrize("text", ["1" * 400, "-" + "9" * 5000, "[" * 100_000, '{"a": ' * 50_000, "{", "\ufeff"])
def test_json_that_python_stumbles_over(tmp_path, text):
    from orplugins.io.json_fields import load_json

    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match="a.json: ") as caught:
        load_json(tmp_path / "a.json")
    assert "\n" not in str(caught.value)
