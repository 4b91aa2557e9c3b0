"""The branch that tells joint states looks where the heatmaps say."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from orplugins.partial_body.state_branch import JointStateBranch  # noqa: E402


def branch(joints: int = 2) -> JointStateBranch:
    torch.manual_seed(0)
    return JointStateBranch(8, joints, hidden=16).eval()


def peak(row: int, column: int, height: float = 1.0) -> torch.Tensor:
    heatmap = torch.zeros(16, 12)
    heatmap[row, column] = height
    return heatmap


def test_a_joint_is_judged_by_the_features_at_its_peak():
    net = branch(1)
    features = torch.randn(1, 8, 4, 3)
    moved = features.clone()
    moved[0, :, 2, 1], moved[0, :, 0, 0] = features[0, :, 0, 0], features[0, :, 2, 1]
    here, there = peak(9, 5)[None, None], peak(1, 2)[None, None]
    # Features and peak that move together give the same answer: nothing else depends on the place.
    torch.testing.assert_close(net(features, here), net(moved, there), atol=2e-2, rtol=0)
    assert (net(features, here) - net(features, there)).abs().max() > 0.05


def test_a_missing_peak_is_seen():
    net = branch(1)
    features = torch.zeros(1, 8, 4, 3)  # nothing but the peak's height is left
    clear, faint = (net(features, peak(9, 5, height)[None, None]) for height in (1.0, 0.02))
    assert (clear - faint).abs().max() > 1e-3


def test_joints_and_people_are_independent_and_heatmaps_are_only_read():
    net = branch()
    features = torch.randn(3, 8, 4, 3)
    heatmaps = torch.rand(3, 2, 16, 12, requires_grad=True)
    logits = net(features, heatmaps)
    assert logits.shape == (3, 2, 3)
    torch.testing.assert_close(logits[1:2], net(features[1:2], heatmaps[1:2]))
    changed = heatmaps.detach().clone()
    changed[:, 0] = 0
    torch.testing.assert_close(net(features, changed)[:, 1], logits[:, 1])
    logits.sum().backward()
    assert heatmaps.grad is None
