"""Lifting as functions: inputs, the files that are written, what failed; and the lifter of a calibrated camera."""

import json

import numpy as np
import pytest

pytest.importorskip("mmpose")
from tests_tools import save_published_lifter  # noqa: E402

from orplugins.geometry.cameras import Camera  # noqa: E402
from orplugins.io.openpose import write_openpose_frame  # noqa: E402
from orplugins.skeletons import COCO_17  # noqa: E402
from orplugins.videopose3d.inputs import InputOptions, fill_joints, read_input  # noqa: E402
from orplugins.videopose3d.pipeline import LiftSettings, lift_video, render_lifted, room_lifter  # noqa: E402

FRAMES = 6
OPTIONS = InputOptions(size=(64, 48), fps=25.0)


@pytest.fixture
def weights(tmp_path):
    save_published_lifter(tmp_path / "w.bin")
    return tmp_path / "w.bin"


def poses() -> np.ndarray:
    joints = np.random.default_rng(0).uniform(4, 44, (COCO_17.num_joints, 2))
    joints = joints + np.arange(FRAMES)[:, None, None]
    return np.concatenate([joints, np.ones((FRAMES, COCO_17.num_joints, 1))], -1)


@pytest.fixture
def detections(tmp_path):
    """A COCO list without frame 2."""
    records = [
        {"image_id": k, "category_id": 1, "score": 1.0, "keypoints": pose.ravel().tolist()}
        for k, pose in enumerate(poses())
        if k != 2
    ]
    (tmp_path / "d.json").write_text(json.dumps(records))
    return tmp_path / "d.json"


def test_a_frame_without_a_detection_is_interpolated_and_noted(detections):
    read = read_input(detections, OPTIONS)
    assert read.clip.detected.tolist() == [True, True, False, True, True, True] and read.failed == ()
    assert "1 of 6 frame numbers have no detection" in read.warnings[0]
    np.testing.assert_allclose(read.clip.keypoints, poses()[..., :2], atol=1e-4)


def test_a_broken_file_is_named(tmp_path):
    for k in range(3):
        write_openpose_frame(tmp_path / "op", "v", k, np.zeros((0, 25, 3)))
    (tmp_path / "op/v_000000000001_keypoints.json").write_text("{")
    with pytest.raises(ValueError, match=r"nobody in any of 2 frames; 1 files could not be read.*v_000000000001"):
        read_input(tmp_path / "op", OPTIONS)


def test_files_are_written_and_drawn(detections, weights, tmp_path):
    lifted = lift_video(LiftSettings(detections, weights, tmp_path / "out", OPTIONS, zero_root=True, device="cpu"))
    assert lifted.points.shape == (FRAMES, 17, 3) and not lifted.points[:, 0].any() and lifted.fps == 25
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"pose.npy", "motion.npz", "motion.json", "record.txt", "keypoints2d.npz"}
    assert render_lifted(lifted, tmp_path / "out/a.gif", every=2, limit=2) == 2
    assert (tmp_path / "out/a.gif").stat().st_size > 500


def test_the_lifter_of_a_camera(weights):
    lift = room_lifter(weights)
    camera = Camera(fx=60, fy=60, cx=32, cy=24, size=(64, 48))
    seen = poses()
    seen[2] = 0
    lifted = lift(camera, seen)
    assert np.isnan(lifted[2]).all() and np.isfinite(np.delete(lifted, 2, 0)).all()
    seen[:, 3] = 0
    assert lift(camera, seen) is None
    with pytest.raises(ValueError, match="left_ear is never seen"):
        fill_joints(seen, "x")
