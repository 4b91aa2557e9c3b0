"""What is known of a joint: visible, occluded, or out of view; and what follows from it for a person."""

from __future__ import annotations

import numpy as np

from orplugins.skeletons import OCCLUDED, OUT_OF_VIEW, VISIBLE, Skeleton

SIDES = ("left", "top", "right", "bottom")
# Minimum probability of "out of view": a joint in view that is called gone is lost, one not in view that is called
# hidden still has its low score.
LEAST_OUT_OF_VIEW = 0.6


def truncated_sides(boxes: np.ndarray, size: tuple[int, int], margin: float = 2.0) -> np.ndarray:
    """Whether boxes come close to a frame's edges.

    Args:
        boxes: (N, 4) x1, y1, x2, y2.
        size: (width, height) of the frame.
        margin: Distance that counts as close, pixels.

    Returns:
        (N, 4) bool: left, top, right, bottom.
    """
    boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    low = boxes[:, :2] <= margin
    high = boxes[:, 2:] >= np.asarray(size) - 1 - margin
    return np.concatenate([low, high], axis=1)


def judge(
    keypoints: np.ndarray,
    scores: np.ndarray,
    boxes: np.ndarray,
    size: tuple[int, int],
    threshold: float = 0.3,
    probabilities: np.ndarray | None = None,
) -> np.ndarray:
    """State of joints.

    A position beyond the frame is out of view whatever else is known. For the others the network's ``probabilities``
    decide where it has them: out of view from `LEAST_OUT_OF_VIEW` on, otherwise the likelier of the other two. Without,
    a joint is visible if its score reaches ``threshold``; one below it is out of view if it lies in the quarter of its
    box next to a side at which the frame cuts the box, and occluded otherwise.

    Args:
        keypoints: (N, K, 2) in frame pixels.
        scores: (N, K).
        boxes: (N, 4) x1, y1, x2, y2 that the joints were looked for in.
        size: (width, height) of the frame.
        threshold: Minimum score of a visible joint.
        probabilities: (N, K, 3) of the three states.

    Returns:
        (N, K) indices into `orplugins.skeletons.STATES`.
    """
    keypoints = np.asarray(keypoints, dtype=np.float64)
    boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    if probabilities is not None:
        probabilities = np.asarray(probabilities)
        states = np.where(
            probabilities[..., OUT_OF_VIEW] >= LEAST_OUT_OF_VIEW,
            OUT_OF_VIEW,
            OCCLUDED + probabilities[..., OCCLUDED:].argmax(-1),
        )
    else:
        low, extent = boxes[:, None, :2], np.maximum(boxes[:, None, 2:] - boxes[:, None, :2], 1)
        place = (keypoints - low) / extent
        near = np.concatenate([place < 0.25, place > 0.75], axis=-1)
        cut = (near & truncated_sides(boxes, size)[:, None]).any(-1)
        states = np.where(np.asarray(scores) >= threshold, VISIBLE, np.where(cut, OUT_OF_VIEW, OCCLUDED))
    beyond = ((keypoints < -0.5) | (keypoints > np.asarray(size) - 0.5)).any(-1)
    return np.where(beyond, OUT_OF_VIEW, states)


def near_border(keypoints: np.ndarray, boxes: np.ndarray, size: tuple[int, int], fraction: float = 0.04) -> np.ndarray:
    """Whether joints lie so near to their crop's or the frame's border that their positions are biased.

    Args:
        keypoints: (N, K, 2) in frame pixels.
        boxes: (N, 4) the crops, x1, y1, x2, y2.
        size: (width, height) of the frame.
        fraction: Of a crop's side; the default is two pixels of a map of 48.

    Returns:
        (N, K) bool.
    """
    keypoints, boxes = np.asarray(keypoints, dtype=np.float64), np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    margin = fraction * (boxes[:, None, 2:] - boxes[:, None, :2])
    crop = np.any((keypoints < boxes[:, None, :2] + margin) | (keypoints > boxes[:, None, 2:] - margin), axis=-1)
    frame = np.any((keypoints < 3) | (keypoints > np.asarray(size) - 4), axis=-1)
    return crop | frame


def facing(scores: np.ndarray, skeleton: Skeleton) -> np.ndarray | None:
    """Whether the front of the trunk (chest, stomach) has a better mean score than the back.

    Args:
        scores: (N, K).
        skeleton: The joint set.

    Returns:
        (N,) bool; None for joint sets that have no ``back``.
    """
    if not {"chest", "stomach", "back"} <= set(skeleton.joints):
        return None
    chest, stomach, back = (scores[:, skeleton.index(name)] for name in ("chest", "stomach", "back"))
    return (chest + stomach) / 2 >= back


def confusion(truth: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Confusion matrix of joint states.

    Args:
        truth: True states, of any shape; negative ones do not count.
        found: Found states, of the same shape.

    Returns:
        (3, 3) counts, rows the true state, columns the found one.
    """
    truth, found = np.asarray(truth).ravel(), np.asarray(found).ravel()
    known = truth >= 0
    return np.bincount(truth[known] * 3 + found[known], minlength=9).reshape(3, 3)
