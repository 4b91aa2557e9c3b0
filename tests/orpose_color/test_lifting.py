"""Joint maps, statistics and mirroring of the lifting networks."""

from __future__ import annotations

import numpy as np
import pytest

from orplugins.orpose_color.lifting import (
    coco_to_h36,
    coco_to_h36_present,
    kept_rows,
    lifter_row,
    mirror_rows,
    mirror_targets,
    statistics_of,
)
from orplugins.orpose_color.statistics import load_statistics, save_statistics
from orplugins.skeletons import COCO_17, H36M_17

RANDOM = np.random.default_rng(0)
KEYPOINTS = RANDOM.uniform(0, 640, (60, 17, 2))
POSES = RANDOM.normal(0, 300, (60, 17, 3))
STATISTICS = statistics_of(KEYPOINTS, POSES)


def test_statistics_make_rows_and_targets_standard():
    for values in (STATISTICS.normalise_row(KEYPOINTS), STATISTICS.normalise_pose(POSES)):
        np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-9)
        np.testing.assert_allclose(values.std(axis=0), 1, atol=1e-9)


def test_a_pose_comes_back_relative_to_its_pelvis():
    back = STATISTICS.pose(STATISTICS.normalise_pose(POSES))
    np.testing.assert_allclose(back, POSES - POSES[:, :1], atol=1e-9)


def test_statistics_survive_a_file(tmp_path):
    save_statistics(tmp_path / "s.json", STATISTICS)
    again = load_statistics(tmp_path / "s.json")
    assert again.digest == STATISTICS.digest


def test_a_mirrored_row_is_the_row_of_the_mirrored_picture():
    mirrored = KEYPOINTS[:, list(COCO_17.flip_indices)].copy()
    mirrored[..., 0] = 640 - mirrored[..., 0]
    found = mirror_rows(STATISTICS.normalise_row(KEYPOINTS), STATISTICS, 640)
    np.testing.assert_allclose(found, STATISTICS.normalise_row(mirrored), atol=1e-9)


def test_a_mirrored_target_is_the_target_of_the_mirrored_person():
    mirrored = POSES[:, list(H36M_17.flip_indices)] * (-1, 1, 1)
    found = mirror_targets(STATISTICS.normalise_pose(POSES), STATISTICS)
    np.testing.assert_allclose(found, STATISTICS.normalise_pose(mirrored), atol=1e-9)


def test_rows_of_zeros_stay_zeros():
    assert not mirror_rows(np.zeros((2, 32)), STATISTICS, 640).any()
    assert not mirror_targets(np.zeros((2, 48)), STATISTICS).any()
    assert not kept_rows(np.zeros((2, 32))).any()


def test_the_row_leaves_out_the_thorax():
    h36 = np.arange(34.0).reshape(17, 2)
    assert lifter_row(h36).tolist() == np.delete(h36, 8, axis=0).ravel().tolist()


def test_the_two_ways_to_h36m_agree_where_every_joint_is_there():
    people = np.concatenate([KEYPOINTS, np.ones((60, 17, 1))], axis=-1)
    np.testing.assert_allclose(coco_to_h36(people), coco_to_h36_present(people), atol=1e-9)


@pytest.mark.parametrize("bad", [KEYPOINTS[:1], KEYPOINTS[:, :5]])
def test_too_few_pairs_or_joints(bad):
    with pytest.raises(ValueError, match="expected at least two"):
        statistics_of(bad, POSES[: len(bad)])


@pytest.mark.parametrize(
    "change,message",
    [
        (lambda d: d.pop("data_std_3d"), "missing key 'data_std_3d'"),
        (lambda d: d["data_mean_2d"].pop(), "'data_mean_2d' has 63 numbers, expected 64"),
        (lambda d: d["data_std_2d"].__setitem__(0, 0.0), "not above 0"),
        (lambda d: d["dim_to_use_3d"].__setitem__(0, 96), "expected different 0 to 95"),
        (lambda d: d["data_mean_3d"].__setitem__(3, float("nan")), "finite number"),
    ],
)
def test_broken_statistics(tmp_path, change, message):
    import json

    save_statistics(tmp_path / "s.json", STATISTICS)
    data = json.loads((tmp_path / "s.json").read_text())
    change(data)
    (tmp_path / "s.json").write_text(json.dumps(data))
    with pytest.raises(ValueError, match=f"s.json.*{message}"):
        load_statistics(tmp_path / "s.json")
