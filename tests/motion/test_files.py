"""OpenPose folders, Kinect records, VideoPose3D's npz files, rigs: round trips and bad input."""

import json
import pickle

import numpy as np
import pytest
from videopose3d_files import object_array, write_custom_2d, write_detection_archive

from orplugins.io.calibration import read_parallel, read_rig
from orplugins.io.kinect_files import (
    JOINT_NAMES,
    KinectRecord,
    make_record,
    read_kinect_export,
    read_kinect_record,
    write_kinect_record,
)
from orplugins.io.openpose import read_openpose_folder, write_openpose_frame
from orplugins.io.safe_npz import object_scalar, read_npz
from orplugins.motion.recordings import read_recording
from orplugins.skeletons import BODY_25, COCO_17, H36M_17, KINECT_20
from orplugins.synthetic.motion_points import rig_record, room_rig, write_lifting_data
from orplugins.videopose3d.files import (
    Keypoints2D,
    load_lifting_clips,
    read_clip,
    read_custom_2d,
    read_detection_archive,
    read_positions_3d,
    write_clip,
)

RNG = np.random.default_rng(0)


# --- OpenPose


def _folder(tmp_path, numbers=(0, 1, 3), people=2):
    poses = {
        n: np.concatenate([RNG.uniform(10, 400, (people, 25, 2)), RNG.uniform(0.3, 1, (people, 25, 1))], -1)
        for n in numbers
    }
    for n, pose in poses.items():
        write_openpose_frame(tmp_path / "op", "cam", n, pose)
    return tmp_path / "op", poses


def test_openpose_round_trip_with_a_gap(tmp_path):
    folder, poses = _folder(tmp_path)
    read = read_openpose_folder(folder)
    assert read.counts.tolist() == [2, 2, -1, 2] and read.skeleton is BODY_25 and "1 of 4" in read.warnings[0]
    np.testing.assert_allclose(read.frames[3], poses[3])


def test_openpose_bad_input(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such folder"):
        read_openpose_folder(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no file"):
        read_openpose_folder(tmp_path / "empty")
    folder, _ = _folder(tmp_path)
    broken = folder / "cam_000000000001_keypoints.json"
    broken.write_text('{"people": [{"pose_keypoints_2d": [1, 2, 3]}]}')
    with pytest.raises(ValueError, match="3 values, expected 75"):
        read_openpose_folder(folder)
    skipped = read_openpose_folder(folder, broken="skip")
    assert len(skipped.failed) == 1 and skipped.counts[1] == -1
    write_openpose_frame(folder, "other", 0, np.zeros((0, 25, 3)))
    with pytest.raises(ValueError, match="2 videos"):
        read_openpose_folder(folder)


def test_openpose_units(tmp_path):
    write_openpose_frame(tmp_path, "a", 0, np.full((1, 25, 3), 0.5))
    with pytest.raises(ValueError, match=r"keypoint_scale 3\), not pixels: the image size is needed"):
        read_openpose_folder(tmp_path)
    assert read_openpose_folder(tmp_path, (641, 481), 3).frames[0][0, 0, :2].tolist() == [320, 240]
    with pytest.raises(ValueError, match="image size"):
        read_openpose_folder(tmp_path, keypoint_scale=4)


# --- Kinect


def _record(frames=6):
    state = RNG.integers(0, 3, (frames, 20))
    xyz = np.where(state[..., None] > 0, RNG.normal(size=(frames, 20, 3)), np.nan)
    return make_record(xyz, state, KINECT_20, 30, "kinect_v1", "absolute", {"subject": "1"}, camera_axes=False)


def test_kinect_round_trip(tmp_path):
    record = _record()
    write_kinect_record(tmp_path / "k.txt", record)
    read = read_kinect_record(tmp_path / "k.txt")
    np.testing.assert_allclose(read.xyz, record.xyz, atol=5.1e-7)
    np.testing.assert_array_equal(read.state, record.state)
    assert read.extra == {"subject": "1"} and read.fps == 30 and read.source == "kinect_v1"


@pytest.mark.parametrize(
    "change, message",
    [
        (
            lambda lines: [line.rsplit(" ", 1)[0] if k == 12 else line for k, line in enumerate(lines)],
            "82 columns, expected 83",
        ),
        (lambda lines: ["# kinect-record 2.0", *lines[1:]], "version is 2.0"),
        (lambda lines: lines[1:], "version is None"),
        (lambda lines: [*lines[:-2], lines[-1], lines[-2]], "not sorted"),
        (lambda lines: [line for line in lines if not line.startswith("# fps")], "'fps' is None"),
        (lambda lines: [*lines[:-1], lines[-1].replace(" 0.", " zero.", 1)], "could not convert"),
    ],
)
def test_kinect_bad_records(tmp_path, change, message):
    write_kinect_record(tmp_path / "k.txt", _record())
    lines = change((tmp_path / "k.txt").read_text().splitlines())
    (tmp_path / "k.txt").write_text("\n".join(lines) + "\n")
    with pytest.raises(ValueError, match=message) as error:
        read_kinect_record(tmp_path / "k.txt")
    assert "k.txt" in str(error.value)


def test_several_bodies_become_one_clip_with_its_gaps(tmp_path):
    frame, body = np.array([0, 0, 1, 4]), np.array([0, 1, 0, 0])
    state = np.full((4, 20), 2)
    record = KinectRecord(frame, frame / 30, body, RNG.normal(size=(4, 20, 3)), state, 30, "kinect_v1", "absolute")
    one = record.one_body()
    assert one.frame.tolist() == [0, 1, 2, 3, 4] and one.state.sum(1).tolist() == [40, 40, 0, 0, 40]
    with pytest.raises(ValueError, match="no body 7"):
        record.one_body(7)


def test_kinect_exports(tmp_path):
    xyz = RNG.normal(size=(5, 20, 3))
    xyz[2, 3] = 0  # the SDK's zero for an untracked joint
    np.save(tmp_path / "a.npy", xyz)
    head = ",".join(f"{joint}_{axis}" for joint in JOINT_NAMES for axis in "XYZ")
    rows = [",".join(map(str, frame.ravel())) for frame in xyz]
    (tmp_path / "b.csv").write_text("\n".join([head, *rows]))
    for name in ("a.npy", "b.csv"):
        record = read_kinect_export(tmp_path / name)
        assert record.state[2, 3] == 0 and np.isnan(record.xyz[2, 3]).all()
        np.testing.assert_allclose(record.xyz[0], xyz[0])
    (tmp_path / "c.csv").write_text("x,y\n1,2\n")
    with pytest.raises(ValueError, match="lacks HipCenterX"):
        read_kinect_export(tmp_path / "c.csv")


def test_recordings_of_every_kind(tmp_path):
    write_kinect_record(tmp_path / "k.txt", _record())
    np.save(tmp_path / "pose.npy", RNG.normal(size=(7, 17, 3)))
    assert read_recording(tmp_path / "k.txt").skeleton is KINECT_20
    lifted = read_recording(tmp_path / "pose.npy", fps=50)
    assert lifted.skeleton is H36M_17 and lifted.fps == 50 and lifted.root == "hip_center"
    np.save(tmp_path / "nan.npy", np.full((4, 17, 3), np.nan))
    with pytest.raises(ValueError, match="no joint is present"):
        read_recording(tmp_path / "nan.npy")
    with pytest.raises(FileNotFoundError):
        read_recording(tmp_path / "none.txt")


# --- VideoPose3D


def test_archive_round_trip_and_interpolation(tmp_path):
    poses = np.concatenate([RNG.uniform(0, 400, (6, 17, 2)), np.ones((6, 17, 1))], -1).astype(np.float32)
    box = np.array([[0, 0, 9, 9, 0.9], [5, 5, 9, 9, 0.2]], dtype=np.float32)
    frames = [(box, np.stack([p, p + 50])) for p in poses]
    frames[2] = (np.zeros((0, 5)), np.zeros((0, 17, 3)))
    write_detection_archive(tmp_path / "v.mp4.npz", frames, (640, 480))
    clip = read_detection_archive(tmp_path / "v.mp4.npz")
    assert clip.video == "v.mp4" and clip.detected.tolist() == [True, True, False, True, True, True]
    np.testing.assert_allclose(clip.keypoints[2], (poses[1, :, :2] + poses[3, :, :2]) / 2, rtol=1e-5)
    write_custom_2d(tmp_path / "data_2d_custom_x.npz", [clip])
    np.testing.assert_array_equal(read_custom_2d(tmp_path / "data_2d_custom_x.npz").keypoints, clip.keypoints)
    write_clip(tmp_path / "clip.npz", Keypoints2D(clip.keypoints, clip.detected, clip.size, 30.0, "v"))
    own = read_clip(tmp_path / "clip.npz")
    assert own.fps == 30 and own.detected.tolist() == clip.detected.tolist()
    write_detection_archive(tmp_path / "e.npz", [frames[2]] * 3, (640, 480))
    with pytest.raises(ValueError, match="nobody was detected"):
        read_detection_archive(tmp_path / "e.npz")


class Evil:
    def __reduce__(self):
        return exec, ("raise SystemExit('executed')",)


def test_a_pickled_npz_is_never_executed(tmp_path):
    np.savez(tmp_path / "evil.npz", metadata=object_scalar(Evil()))
    with pytest.raises(ValueError, match="builtins.exec"):
        read_npz(tmp_path / "evil.npz", ("metadata",))
    with pytest.raises(ValueError, match="missing entry 'boxes'"):
        read_npz(tmp_path / "evil.npz", ("boxes",))
    (tmp_path / "cut.npz").write_bytes((tmp_path / "evil.npz").read_bytes()[:50])
    with pytest.raises(ValueError, match="cut off"):
        read_npz(tmp_path / "cut.npz", ("metadata",))


def test_python_2_text_is_read(tmp_path):
    text = pickle.dumps({"w": 1, "name": "caf\xe9"}, protocol=2)
    assert pickle.loads(text)
    ragged = object_array([[1], [2, 3]])
    np.savez(tmp_path / "a.npz", a=ragged, b=np.arange(3))
    read = read_npz(tmp_path / "a.npz", ("a", "b"))
    assert list(read["a"]) == [[1], [2, 3]] and read["b"].tolist() == [0, 1, 2]


def test_lifting_clips(tmp_path):
    write_lifting_data(tmp_path, ["S1"], frames=12)
    files = [str(tmp_path / name) for name in ("data_2d_motion_coco.npz", "cameras.json", "data_3d_motion.npz")]
    clips = load_lifting_clips(*files, None, COCO_17, H36M_17)
    assert len(clips) == 4 * 3 and clips[0].keypoints.shape == (12, 17, 2) and clips[0].positions[..., 2].min() > 1
    assert len(load_lifting_clips(*files, None, COCO_17, H36M_17, downsample=2, subset=0.5)[0].keypoints) == 3
    with pytest.raises(ValueError, match="no subject 'S9'"):
        load_lifting_clips(*files, ["S9"], COCO_17, H36M_17)
    full = np.zeros((5, 32, 3), dtype=np.float32)
    np.savez(tmp_path / "h.npz", positions_3d=object_scalar({"S11": {"Directions": full, "Eating": full}}))
    assert {k: list(v) for k, v in read_positions_3d(tmp_path / "h.npz").items()} == {"S11": ["Eating"]}


# --- rigs


def test_rig_round_trip(tmp_path):
    cameras = room_rig()
    (tmp_path / "rig.json").write_text(json.dumps(rig_record(cameras)))
    for found, camera in zip(read_rig(tmp_path / "rig.json").cameras, cameras, strict=True):
        np.testing.assert_allclose(found.pose, camera.pose, atol=1e-12)
        np.testing.assert_allclose(found.matrix, camera.matrix)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda r: r["cameras"].pop() and r["cameras"].pop(), "1 cameras, expected two"),
        (lambda r: r["cameras"][0].update(R=[[1, 0, 0], [0, 1, 0], [0, 0.5, 1]]), "no rotation"),
        (lambda r: r["cameras"][0].update(R=[[1, 0, 0], [0, 1, 0], [0, 0, -1]]), "no rotation"),
        (lambda r: r["cameras"][1].pop("K"), "missing key 'K'"),
        (lambda r: r["cameras"][1].update(K=[[0.5, 0, 1], [0, 0.5, 1], [0, 0, 1]]), "looks like metres"),
        (lambda r: r["cameras"][1].update(t=[0, 0, float("nan")]), "finite"),
    ],
)
def test_bad_rigs(tmp_path, change, message):
    record = rig_record(room_rig())
    change(record)
    (tmp_path / "rig.json").write_text(json.dumps(record))
    with pytest.raises(ValueError, match=message) as error:
        read_rig(tmp_path / "rig.json")
    assert "rig.json" in str(error.value)


def test_parallel_and_openpose_rigs(tmp_path):
    pair = {"baseline_m": 0.28, "focal_px": 525, "cx": 319.5, "cy": 239.5, "image_size": [640, 480]}
    (tmp_path / "p.yaml").write_text("parallel: " + json.dumps(pair))
    assert read_parallel(tmp_path / "p.yaml").baseline_m == 0.28
    assert read_rig(tmp_path / "p.yaml").cameras[1].pose[0, 3] == 0.28
    (tmp_path / "xml").mkdir()
    for k in range(2):
        matrix = f"1 0 0 {k} 0 1 0 0 0 0 1 0"
        parts = {"CameraMatrix": matrix, "Intrinsics": "500 0 320 0 500 240 0 0 1", "Distortion": "0 0 0 0 0"}
        body = "".join(f"<{name}><data>{text}</data></{name}>" for name, text in parts.items())
        (tmp_path / "xml" / f"{k}.xml").write_text(f"<opencv_storage>{body}</opencv_storage>")
    rig = read_rig(tmp_path / "xml")
    assert rig.cameras[1].pose[0, 3] == -1 and rig.cameras[0].size == (640, 480)
