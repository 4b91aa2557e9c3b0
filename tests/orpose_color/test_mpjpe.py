"""MPJPE of monocular 3D poses: matching, and the two ways to divide."""

from __future__ import annotations

import numpy as np
import pytest

from orplugins.orpose_color.mpjpe import image_errors, keypoint_similarity, summarise

RANDOM = np.random.default_rng(0)


def person(x: float):
    joints = np.column_stack([x + RANDOM.uniform(0, 50, 17), RANDOM.uniform(0, 100, 17), np.full(17, 2)])
    pose = np.column_stack([RANDOM.normal(0, 0.3, (10, 3)) + (0, 0, 3), np.ones(10)])
    return joints, np.array([x, 0, x + 50, 100]), pose


def relative(pose):
    return 1000 * (pose[:, :3] - (pose[4, :3] + pose[5, :3]) / 2)


def test_a_perfect_prediction_has_no_error_and_finds_its_person():
    people = [person(0), person(200)]
    joints, boxes, poses = (np.array(column) for column in zip(*people, strict=True))
    found = image_errors(joints, boxes, poses, joints[::-1], np.array([relative(p) for p in poses[::-1]]))
    assert found.matches.tolist() == [1, 0]
    np.testing.assert_allclose(found.errors, 0, atol=1e-9)
    result = summarise([found])
    assert result["persons"] == 2 and result["missed"] == 0 and result["Selected"] < 1e-9


def test_hidden_joints_lower_the_published_mean_only():
    joints, box, pose = person(0)
    pose[6:, 3] = 0
    predicted = relative(pose) + (30, 0, 0)
    found = image_errors(joints[None], box[None], pose[None], joints[None], predicted[None])
    np.testing.assert_allclose(found.errors[0], [30] * 6 + [0] * 4)
    published, visible = summarise([found]), summarise([found], "visible")
    assert published["Elbow"] == 0 and np.isnan(visible["Elbow"])
    np.testing.assert_allclose([published["Hip"], visible["Hip"]], 30)


def test_a_picture_without_detections_is_missed_not_counted():
    joints, box, pose = person(0)
    found = image_errors(joints[None], box[None], pose[None], np.zeros((0, 17, 3)), np.zeros((0, 10, 3)))
    result = summarise([found])
    assert result["persons"] == 0 and result["missed"] == 1 and np.isnan(result["All"])
    assert np.isnan(summarise([])["All"])


def test_a_person_without_joints_is_compared_by_its_box():
    joints, box, _ = person(0)
    near, far = joints.copy(), joints + (500, 0, 0)
    joints[:, 2] = 0
    similarity = keypoint_similarity(joints[None], box[None], np.stack([far, near]))
    assert similarity[0, 1] == 1 and similarity[0, 0] < 0.01


def test_unknown_protocol():
    with pytest.raises(ValueError, match="protocol"):
        summarise([], "strict")
