import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orplugins.geometry.pose_error import mpjpe, n_mpjpe, p_mpjpe
from orplugins.mvor.mpjpe import mv3dreg_errors, view_support


def poses(seed, n=4, joints=10):
    return np.random.default_rng(seed).normal(size=(n, joints, 3))


def test_mpjpe_counts_what_is_valid():
    target = poses(0)
    predicted = target + (3, 4, 0)
    assert mpjpe(predicted, target) == pytest.approx(5)
    valid = np.ones((4, 10), dtype=bool)
    valid[0, 0] = False
    predicted[0, 0] = np.nan
    for metric in (mpjpe, n_mpjpe, p_mpjpe):
        assert np.isfinite(metric(predicted, target, valid))
        with pytest.raises(ValueError, match="NaN"):
            metric(predicted, target)
        with pytest.raises(ValueError, match="no joint counts"):
            metric(predicted, target, ~valid & False)


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10))
def test_what_each_alignment_removes(seed, scale):
    rng = np.random.default_rng(seed)
    target = poses(seed)
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    rotation *= np.sign(np.linalg.det(rotation))
    assert n_mpjpe(scale * target, target) == pytest.approx(0, abs=1e-9)
    assert p_mpjpe(scale * target @ rotation + rng.normal(size=3), target) == pytest.approx(0, abs=1e-8)


def test_procrustes_does_not_mirror():
    target = poses(1)
    assert p_mpjpe(target * (-1, 1, 1), target) > 0.1


def test_degenerate_poses():
    target = poses(2)
    for metric in (n_mpjpe, p_mpjpe):
        assert np.isfinite(metric(np.zeros_like(target), target))
    with pytest.raises(ValueError, match="shapes"):
        mpjpe(target, target[:2])
    with pytest.raises(ValueError, match="valid has shape"):
        mpjpe(target, target, np.ones(4))


def test_support_counts_views_with_more_than_two_joints():
    encoded = np.zeros((3, 3, 32, 3))
    encoded[0, 0, [25, 26], 2] = 1  # two joints do not support
    encoded[1, 0, [25, 26, 17], 2] = 1
    encoded[1, 1, [18, 27, 19], 2] = 0.001  # neither does the threshold itself
    encoded[2, :, [1, 6, 19, 0, 2], 2] = 1  # 0 and 2 are other joints
    assert view_support(encoded.reshape(3, 288)).tolist() == [0, 1, 3]
    with pytest.raises(ValueError, match="2D input has shape"):
        view_support(np.zeros((3, 100)))


def test_table_in_centimetres_with_the_hip_centre():
    target = 1000 * poses(3)
    predicted = target.copy()
    predicted[:, 2, 0] += 100  # a shoulder 10 cm off
    predicted[:, 8, 1] += 40  # hips off in opposite directions: their centre is right
    predicted[:, 9, 1] -= 40
    predicted[:, 0] += 1e6  # the head is not used
    predicted[3] += 1e6
    table = mv3dreg_errors(predicted.reshape(4, 30), target.reshape(4, 30), [1, 1, 3, 0])
    assert sorted(table) == [1, 3] and table[1].persons == 2
    row = table[1].columns
    assert list(row) == ["Shoulder", "Hip", "Elbow", "Wrist", "Average"]
    assert list(row.values()) == pytest.approx([5, 0, 0, 0, 1.25])


def test_table_of_bad_input():
    assert mv3dreg_errors(np.zeros((0, 10, 3)), np.zeros((0, 10, 3)), np.zeros(0)) == {}
    with pytest.raises(ValueError, match="17 joints, expected 10"):
        mv3dreg_errors(np.zeros((2, 17, 3)), np.zeros((2, 17, 3)), [1, 1])
    with pytest.raises(ValueError, match="support has shape"):
        mv3dreg_errors(np.zeros((2, 10, 3)), np.zeros((2, 10, 3)), [1])
