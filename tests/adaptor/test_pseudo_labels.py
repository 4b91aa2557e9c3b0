"""Labels of the strong view: there and back, limits, nobody."""

import dataclasses

import pytest

torch = pytest.importorskip("torch")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from orplugins.adaptor.pseudo_labels import Thresholds, View, label_strong_view  # noqa: E402
from orplugins.skeletons import COCO_17  # noqa: E402

SIDES = st.integers(30, 200)


def answers(count: int, size: tuple[int, int], seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    corners = torch.rand(count, 2, 2, generator=generator).sort(1)[0]
    boxes = (corners * torch.tensor([size[1], size[0]])).reshape(count, 4)
    joints = torch.rand(count, 17, 3, generator=generator) * torch.tensor([size[1], size[0], 0.9]) + torch.tensor(
        [0.0, 0.0, 0.1001]
    )
    masks = torch.rand(count, 1, 28, 28, generator=generator)
    return boxes, 0.7001 + 0.29 * torch.rand(count, generator=generator), joints, masks


@given(SIDES, SIDES, SIDES, SIDES, st.booleans())
def test_there_and_back(height, width, strong_height, strong_width, mirrored):
    view = View((height, width), (strong_height, strong_width), mirrored)
    boxes, scores, joints, masks = answers(3, view.weak)
    there = label_strong_view(boxes, scores, joints, masks, view, Thresholds())
    back_view = View(view.strong, view.weak, mirrored)
    back = label_strong_view(
        there.boxes, scores, there.keypoints, there.masks[:, None].float(), back_view, Thresholds()
    )
    torch.testing.assert_close(back.boxes, boxes, rtol=0, atol=0.01)
    torch.testing.assert_close(back.keypoints[..., :2], joints[..., :2], rtol=0, atol=0.01)
    assert torch.equal(back.masks, masks[:, 0] >= 0.5)


def test_limits_are_strict_for_scores_and_inclusive_for_masks():
    view = View((50, 50), (50, 50))
    boxes, _, joints, masks = answers(2, view.weak)
    joints[:, 0, 2], masks[:, 0, 0, 0] = 0.1, 0.5
    found = label_strong_view(boxes, torch.tensor([0.7, 0.8]), joints, masks, view, Thresholds())
    assert len(found) == 1
    assert torch.equal(found.keypoints[0, 0], torch.zeros(3)) and found.masks[0, 0, 0]
    assert (found.keypoints[0, 1:, 2] == 2).all()


def test_left_is_right_in_the_mirror():
    view = View((50, 80), (50, 80), True)
    boxes, scores, joints, masks = answers(1, view.weak)
    found = label_strong_view(boxes, scores, joints, masks, view, Thresholds())
    left, right = COCO_17.flip_pairs[0]
    torch.testing.assert_close(found.keypoints[0, left, 0], 80 - joints[0, right, 0])
    assert torch.equal(found.masks[0], masks[0, 0].flip(-1) >= 0.5)


def test_boxes_are_cut_and_the_masks_frames_are_not():
    view = View((50, 50), (100, 100))
    found = label_strong_view(torch.tensor([[-5.0, 2, 60, 40]]), torch.ones(1), None, None, view, Thresholds())
    assert found.boxes.tolist() == [[0, 4, 100, 80]] and found.mask_boxes.tolist() == [[-10, 4, 120, 80]]
    assert found.keypoints is None and found.masks is None


def test_nobody():
    view = View((50, 50), (60, 70), True)
    for boxes, scores, joints, masks in (answers(0, view.weak), answers(3, view.weak)):
        found = label_strong_view(boxes, scores * 0, joints, masks, view, Thresholds())
        assert len(found) == 0
        assert [tuple(getattr(found, field.name).shape) for field in dataclasses.fields(found)] == [
            (0, 4), (0, 4), (0, 17, 3), (0, 28, 28)]  # fmt: skip
