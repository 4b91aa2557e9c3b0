"""People found in several views of one picture (scales, mirror images), merged into one answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Detections:
    """People of one picture, in its pixels.

    Attributes:
        boxes: (N, 4) x1, y1, x2, y2.
        scores: (N,) in [0, 1].
        keypoints: (N, J, 3) x, y, confidence in [0, 1].
        support: (N,) share of the views that found the person.
    """

    boxes: np.ndarray
    scores: np.ndarray
    keypoints: np.ndarray
    support: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)

    def where(self, keep: np.ndarray) -> Detections:
        """Some of the people.

        Args:
            keep: A mask (N,), or indices.

        Returns:
            Those.
        """
        return Detections(self.boxes[keep], self.scores[keep], self.keypoints[keep], self.support[keep])


def single_view(boxes: np.ndarray, scores: np.ndarray, keypoints: np.ndarray) -> Detections:
    """People that one view found.

    Args:
        boxes: (N, 4).
        scores: (N,).
        keypoints: (N, J, 3).

    Returns:
        The people, each with full support.
    """
    boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    scores = np.asarray(scores, dtype=np.float64)
    return Detections(boxes, scores, np.asarray(keypoints, dtype=np.float64), np.ones(len(scores)))


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of every pair of boxes.

    Args:
        a: (N, 4) x1, y1, x2, y2.
        b: (M, 4).

    Returns:
        (N, M), 0 for boxes without an area.
    """
    a, b = np.reshape(a, (-1, 4)), np.reshape(b, (-1, 4))
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(-1)
    area_a, area_b = ((box[:, 2:] - box[:, :2]).clip(0).prod(-1) for box in (a, b))
    union = area_a[:, None] + area_b[None] - common
    return np.where(union > 0, common / np.where(union > 0, union, 1), 0.0)


def fuse(views: Sequence[Detections], min_iou: float = 0.55) -> Detections:
    """Merge the answers of several views.

    Boxes are taken by falling score; each joins the group whose mean box it overlaps most, unless that group has one of
    its view already, or opens a group. A group's box and joints are means weighted by score (joints by score times
    confidence), its score is the sum of its members' over the number of views: who is found in every view keeps the
    mean score, who is found in one of six falls to a sixth. (Weighted boxes fusion, Solovyev et al. 2021, with one
    member a view.)

    Args:
        views: What each view found, in the pixels of the picture.
        min_iou: Least overlap with a group's mean box.

    Returns:
        The people by falling score.
    """
    joints = views[0].keypoints.shape[1:]
    boxes = np.concatenate([view.boxes for view in views])
    scores = np.concatenate([view.scores for view in views])
    keypoints = np.concatenate([view.keypoints for view in views])
    owner = np.concatenate([np.full(len(view), k) for k, view in enumerate(views)])
    groups: list[list[int]] = []
    means = np.zeros((0, 4))
    for k in np.argsort(-scores, kind="stable"):
        overlap = iou(boxes[k], means)[0]
        free = [g for g in np.flatnonzero(overlap >= min_iou) if owner[k] not in owner[groups[g]]]
        if free:
            g = max(free, key=lambda g: overlap[g])
            groups[g].append(int(k))
            means[g] = np.average(boxes[groups[g]], axis=0, weights=scores[groups[g]] + 1e-9)
        else:
            groups.append([int(k)])
            means = np.vstack([means, boxes[k]])
    fused = [_mean_pose(keypoints[group], scores[group]) for group in groups]
    total = np.array([scores[group].sum() for group in groups]) / len(views)
    order = np.argsort(-total, kind="stable")
    support = np.array([len(group) for group in groups]) / len(views)
    return Detections(means, total, np.reshape(fused, (-1, *joints)), support).where(order)


def _mean_pose(keypoints: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """(J, 3) of (M, J, 3): positions weighted by score times confidence; the mean of the confidences."""
    weights = (scores[:, None] * keypoints[..., 2] + 1e-9)[..., None]
    position = (keypoints[..., :2] * weights).sum(0) / weights.sum(0)
    confidence = np.average(keypoints[..., 2], axis=0, weights=scores + 1e-9)
    return np.column_stack([position, confidence])
