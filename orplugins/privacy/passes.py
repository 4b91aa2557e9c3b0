"""Detectors asked many times about one picture: at several sizes, and about its mirror image; every answer counts.

The detectors themselves are passed in as plain callables, so that this room knows no network.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np

from orplugins.privacy.finds import JOINTS, Finds, finds, together
from orplugins.skeletons import COCO_17

# People in a picture (H, W, 3) uint8 BGR: boxes (N, 4), scores (N,), joints (N, 17, 3) or None; pixels, edges at 0.
ColourDetector = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, "np.ndarray | None"]]
# Joints (N, 17, 3) x, y, score in a depth image (H, W) uint16 millimetres; pixels, the first one's centre at 0.
DepthDetector = Callable[[np.ndarray], np.ndarray]
Finder = Callable[[np.ndarray], Finds]

SIDES = (240, 360)  # shorter sides, pixels, at which the detectors see a picture
_LEAST_JOINTS = 3  # a group of fewer joints says nothing about where a person ends


def colour_finder(detectors: Sequence[ColourDetector], sides: Sequence[int] = SIDES, mirror: bool = True) -> Finder:
    """All passes of detectors over colour pictures.

    Args:
        detectors: The detectors.
        sides: Shorter sides, pixels.
        mirror: Ask about the mirror image, too.

    Returns:
        Picture (H, W, 3) uint8 BGR to finds in its pixels.
    """

    def find(picture: np.ndarray) -> Finds:
        found, number = [], 0
        for side, flipped in product(sides, (False, True) if mirror else (False,)):
            seen = resized(picture, side)
            view = np.ascontiguousarray(seen[:, ::-1]) if flipped else seen
            for detect in detectors:
                boxes, scores, joints = detect(view)
                one = finds(boxes, scores, joints, number)
                one = mirrored(one, view.shape[1]) if flipped else one
                found.append(scaled(one, picture.shape[1] / view.shape[1], picture.shape[0] / view.shape[0]))
                number += 1
        return together(found)

    return find


def depth_finder(detect: DepthDetector, mirror: bool = True) -> Finder:
    """All passes of a detector of poses over depth images.

    Args:
        detect: The detector.
        mirror: Ask about the mirror image, too.

    Returns:
        Depth (H, W) uint16 millimetres to finds in its pixels. A find's box is that of its joints, and its score their
        mean.
    """

    def find(depth: np.ndarray) -> Finds:
        found = [finds_of_joints(detect(depth), 0)]
        if mirror:
            found.append(mirrored(finds_of_joints(detect(np.ascontiguousarray(depth[:, ::-1])), 1), depth.shape[1]))
        return together(found)

    return find


def finds_of_joints(joints: np.ndarray, number: int) -> Finds:
    """Finds of a detector that gives joints only.

    Args:
        joints: (N, 17, 3) x, y (first pixel's centre at 0), score; a score of 0 is a joint that is not there.
        number: Of the pass.
    """
    joints = np.asarray(joints, dtype=np.float64).reshape(-1, JOINTS, 3)
    there = joints[..., 2] > 0
    joints = joints[there.sum(1) >= _LEAST_JOINTS]
    there = (joints[..., 2] > 0)[..., None]
    points = joints[..., :2] + 0.5
    boxes = np.concatenate([np.where(there, points, np.inf).min(1), np.where(there, points, -np.inf).max(1)], -1)
    scores = joints[..., 2].sum(1) / np.maximum(there[..., 0].sum(1), 1)
    known = np.where(there, np.concatenate([points, joints[..., 2:]], -1), np.nan)
    return finds(boxes, scores.clip(0, 1), known, number)


def resized(picture: np.ndarray, side: int) -> np.ndarray:
    """A picture with another shorter side; what is reduced is filtered.

    Args:
        picture: (H, W, 3) uint8.
        side: Pixels.
    """
    from PIL import Image

    height, width = picture.shape[:2]
    scale = side / min(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR))


def mirrored(found: Finds, width: float) -> Finds:
    """Finds of a mirror image, turned back: left joints become right ones.

    Args:
        found: In the mirror image.
        width: Of the picture, pixels.
    """
    boxes, joints = found.boxes.copy(), found.joints[:, COCO_17.flip_indices].copy()
    boxes[:, [0, 2]] = width - boxes[:, [2, 0]]
    joints[..., 0] = width - joints[..., 0]
    return Finds(boxes, found.scores, joints, found.passes)


def scaled(found: Finds, across: float, down: float) -> Finds:
    """Finds in a picture of another size.

    Args:
        found: The finds.
        across: Factor of x.
        down: Factor of y.
    """
    factor = np.array([across, down])
    joints = np.concatenate([found.joints[..., :2] * factor, found.joints[..., 2:]], -1)
    return Finds(found.boxes * np.tile(factor, 2), found.scores, joints, found.passes)
