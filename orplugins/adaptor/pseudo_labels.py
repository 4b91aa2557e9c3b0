"""A teacher's answers on the weak view of a picture as labels of the strong view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from orplugins.skeletons import COCO_17


@dataclass(frozen=True)
class Thresholds:
    """What counts.

    Attributes:
        box: Detections with a greater score are labels.
        keypoint: Joints with a greater score are visible.
        mask: Pixels with this probability or more are of the person.
    """

    box: float = 0.7
    keypoint: float = 0.1
    mask: float = 0.5


@dataclass(frozen=True)
class View:
    """How the strong view lies to the weak one.

    Attributes:
        weak, strong: (height, width) of the two.
        mirrored: Exactly one of them is.
    """

    weak: tuple[int, int]
    strong: tuple[int, int]
    mirrored: bool = False


@dataclass(frozen=True)
class Labels:
    """Labels of the n people of a strong view.

    Attributes:
        boxes: (n, 4) x0, y0, x1, y1, in pixels, within the picture.
        mask_boxes: (n, 4) the boxes before they were cut to the picture: the frames of the masks.
        keypoints: (n, K, 3) x, y and 2, or 0 where a joint was not found; None without joints.
        masks: (n, S, S) bool, in the frames of `mask_boxes`; None without masks.
    """

    boxes: Tensor
    mask_boxes: Tensor
    keypoints: Tensor | None
    masks: Tensor | None

    def __len__(self) -> int:
        return len(self.boxes)


def label_strong_view(
    boxes: Tensor,
    scores: Tensor,
    keypoints: Tensor | None,
    masks: Tensor | None,
    view: View,
    thresholds: Thresholds,
    flip_indices: Sequence[int] = COCO_17.flip_indices,
) -> Labels:
    """Choose a teacher's confident answers and carry them into the strong view.

    Args:
        boxes: (N, 4) x0, y0, x1, y1 in pixels of the weak view.
        scores: (N,).
        keypoints: (N, K, 3) x, y, score; or None.
        masks: (N, 1, S, S) probabilities in the frames of the boxes; or None.
        view: The two views.
        thresholds: What counts.
        flip_indices: Of the K joints, where each comes from in a mirrored picture.

    Returns:
        The labels. The x of a joint that was not found means nothing.
    """
    kept = scores > thresholds.box
    scale = boxes.new_tensor([view.strong[1] / view.weak[1], view.strong[0] / view.weak[0]])
    height, width = view.strong
    moved = boxes[kept] * scale.repeat(2)
    if view.mirrored:
        moved = torch.stack([width - moved[:, 2], moved[:, 1], width - moved[:, 0], moved[:, 3]], 1)
    limits = moved.new_tensor([width, height, width, height])
    inside = torch.minimum(moved.clamp(min=0), limits)
    if keypoints is not None:
        keypoints = _move_joints(keypoints[kept], scale, view, thresholds.keypoint, flip_indices)
    if masks is not None:
        masks = masks[kept][:, 0] >= thresholds.mask
        masks = masks.flip(-1) if view.mirrored else masks
    return Labels(inside, moved, keypoints, masks)


def _move_joints(joints: Tensor, scale: Tensor, view: View, threshold: float, flip_indices: Sequence[int]) -> Tensor:
    seen = joints[..., 2:] > threshold
    moved = torch.where(seen, torch.cat([joints[..., :2] * scale, 2 * torch.ones_like(joints[..., 2:])], -1), 0.0)
    if view.mirrored:
        moved = torch.stack([view.strong[1] - moved[..., 0], moved[..., 1], moved[..., 2]], -1)
        moved = moved[:, list(flip_indices)]
    return moved
