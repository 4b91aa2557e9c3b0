"""TRC and C3D files: what is written is read again; what is refused."""

import numpy as np
import pytest

from orplugins.io.c3d_files import read_c3d, write_c3d
from orplugins.io.markers import Markers, joint_of_marker, marker_name
from orplugins.io.trc import read_trc, write_trc
from orplugins.motion.recordings import read_recording
from orplugins.skeletons import COCO_17

NAMES = tuple(marker_name(joint) for joint in COCO_17.joints)
FORMS = {"trc": (write_trc, read_trc), "c3d": (write_c3d, read_c3d)}


@pytest.fixture(params=FORMS)
def form(request):
    if request.param == "c3d":
        pytest.importorskip("c3d", reason="C3D files need the package c3d (the extra c3d)")
    return request.param, *FORMS[request.param]


def _clip():
    points = np.random.default_rng(0).uniform(-2, 2, (30, 17, 3))
    points[4:9, 3] = np.nan
    return np.arange(12, 42), points


def test_what_is_written_is_read_again(form, tmp_path):
    name, write, read = form
    frames, points = _clip()
    path = tmp_path / f"a.{name}"
    write(path, frames, points, NAMES, 60.0)
    found = read(path)
    assert found.names == NAMES and found.fps == 60.0
    np.testing.assert_array_equal(found.frames, frames)
    np.testing.assert_allclose(found.points, points, atol=1e-6)
    recording = read_recording(path)
    assert recording.skeleton is COCO_17 and recording.state[5, 3] == 0 and recording.state[0, 3] == 2
    np.testing.assert_allclose(recording.time, frames / 60)


def test_a_file_that_is_cut_short_is_refused(form, tmp_path):
    name, write, read = form
    path = tmp_path / f"a.{name}"
    write(path, *_clip(), NAMES, 60.0)
    path.write_bytes(path.read_bytes()[: 900 if name == "c3d" else 90])
    with pytest.raises(ValueError, match="a." + name):
        read(path)


def test_other_files_are_refused(form, tmp_path):
    name, _, read = form
    path = tmp_path / f"a.{name}"
    for content in ("", "Frame,Time\n" * 10):
        path.write_text(content)
        with pytest.raises(ValueError, match=f"a.{name}.*expected a"):
            read(path)


def test_c3d_says_its_unit_and_axes(tmp_path):
    c3d = pytest.importorskip("c3d", reason="C3D files need the package c3d (the extra c3d)")
    write_c3d(tmp_path / "a.c3d", *_clip(), NAMES, 25.0)
    with open(tmp_path / "a.c3d", "rb") as file:
        reader = c3d.Reader(file)
        assert reader.get("POINT:UNITS").string_value.strip() == "mm"
        assert (reader.first_frame, reader.last_frame) == (13, 42)
        assert [reader.get(f"POINT:{axis}_SCREEN").string_value.strip() for axis in "XY"] == ["+X", "+Y"]
    with pytest.raises(ValueError, match="frames 70000 to 70001, expected some between 0 and 65534"):
        write_c3d(tmp_path / "b.c3d", np.array([70000, 70001]), np.zeros((2, 17, 3)), NAMES, 25.0)
    assert not (tmp_path / "b.c3d").exists()


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("\tm\t", "\tinch\t", "Units is 'inch'"),
        ("\n14\t", "\n99\t", "numbers rise by one"),
        ("60\t60", "0\t60", "DataRate is 0"),
        ("LShoulder", "RShoulder", "17 markers, 16 of them different"),
        ("\n15\t", "\nabc\t", "line 9: 'abc', expected a number"),
    ],
)
def test_what_is_wrong_in_a_trc_file_is_named(tmp_path, old, new, message):
    path = tmp_path / "a.trc"
    write_trc(path, *_clip(), NAMES, 60.0)
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(ValueError, match=message):
        read_trc(path)


def test_which_markers_are_joints():
    names = ("LShoulder", "R_Hip", "left_knee", "Nose", "LEFT_WRIST", "LEye", "Neck", "LBigToe", "MidHip")
    joints = ["left_shoulder", "right_hip", "left_knee", "nose", "left_wrist", "left_eye", None, None, None]
    assert [joint_of_marker(name) for name in names] == joints
    assert [joint_of_marker(marker_name(joint)) for joint in COCO_17.joints] == list(COCO_17.joints)
    two = Markers(np.arange(2), np.zeros((2, 2, 3)), ("LHip", "left_hip"), 25.0)
    with pytest.raises(ValueError, match="'LHip' and 'left_hip' are both the left_hip"):
        two.coco("a.trc")
    with pytest.raises(ValueError, match="markers C7, T10, expected names of joints"):
        Markers(np.arange(2), np.zeros((2, 2, 3)), ("C7", "T10"), 25.0).coco("a.trc")
