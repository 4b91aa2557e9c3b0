"""How well people of several cameras explain the detections that they were made of.

A number between 0 and 1 that does not depend on the images' resolution: it compares calibrations, orders of views and
clocks with each other on the same detections.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.geometry.triangulation import camera_rays, present, reprojection_errors
from orplugins.multiview.people import MultiViewRules, People, usable_detections
from orplugins.skeletons import COCO_BONES

# A joint's distance from its reprojection at which nothing speaks for it, as a share of the person's size in the image.
TOLERANCE = 0.06

# Lengths of people, metres, children and loose detections included: (shortest, longest).
BODY = {
    "upper arm": (0.15, 0.5),
    "forearm": (0.12, 0.45),
    "trunk": (0.25, 0.8),
    "thigh": (0.25, 0.7),
    "shin": (0.25, 0.7),
}
# The same of grown-up people, about.
USUAL = {"upper arm": 0.28, "forearm": 0.25, "trunk": 0.5, "thigh": 0.42, "shin": 0.42}


@dataclass(frozen=True)
class Fit:
    """How well people explain detections.

    Attributes:
        score: Agreement of the detections' joints with the people, 0 to 1.
        quality: The same of the people's own detections, whatever share of all detections they are.
        expected: Joints that could agree.
        people: Number of people.
        by_view: (V,) the same of each view alone, NaN where it has no detection that others could confirm.
    """

    score: float
    quality: float
    expected: float
    people: int
    by_view: np.ndarray


def residuals(cameras: Sequence[Camera], people: People) -> tuple[np.ndarray, np.ndarray]:
    """Distances of the detected joints from the reprojected ones.

    Args:
        cameras: V cameras of one world.
        people: P people.

    Returns:
        (V, P, 17) pixels and metres in front of the camera; NaN where a joint was not detected or has no place.
    """
    keypoints = np.moveaxis(people.keypoints, 1, 0)
    seen = present(keypoints)
    rays = camera_rays(cameras, np.where(seen[..., None], keypoints[..., :2], 0.0))
    distance, depth = reprojection_errors(cameras, people.points, rays)
    known = seen & np.isfinite(people.points).all(-1)
    return np.where(known, distance, np.nan), np.where(known, depth, np.nan)


def sizes(keypoints: np.ndarray) -> np.ndarray:
    """Diagonals of the boxes about the joints of (..., J, 3) detections, pixels; 0 for none."""
    seen = present(keypoints)[..., None]
    high = np.where(seen, keypoints[..., :2], -np.inf).max(-2)
    low = np.where(seen, keypoints[..., :2], np.inf).min(-2)
    found = np.any(seen[..., 0], axis=-1)
    return np.where(found, np.linalg.norm(np.where(found[..., None], high - low, 0.0), axis=-1), 0.0)


def measure(
    cameras: Sequence[Camera], detections: list[list[np.ndarray]], people: People, rules: MultiViewRules
) -> Fit:
    """Measure how well people explain detections.

    Detections that no other view could confirm do not count: of a frame's views each has at most as many as the view
    with the second most.

    Args:
        cameras: V cameras of one world.
        detections: For every frame V arrays (N, 17, 3) x, y, confidence.
        people: What was made of them.
        rules: Limits that were used.

    Returns:
        The measure.
    """
    expected = np.zeros(len(cameras))
    for frame in detections:
        chosen = [view[usable_detections(view, rules)] if len(view) else view for view in frame]
        most = sorted(map(len, chosen))[-2]
        for v, view in enumerate(chosen):
            if most and len(view):
                expected[v] += present(view).sum() * min(most / len(view), 1.0)
    agreement = np.zeros(len(cameras))
    if len(people.frame):
        distance, depth = residuals(cameras, people)
        scale = TOLERANCE * np.moveaxis(sizes(people.keypoints), 1, 0)[..., None]
        with np.errstate(invalid="ignore", divide="ignore"):
            agrees = np.where(depth > 0, np.maximum(1 - distance / scale, 0.0), 0.0)
        agreement = np.nansum(agrees * possible(people.points)[None, :, None], axis=(1, 2))
    total, own = expected.sum(), present(people.keypoints).sum()
    by_view = np.where(expected > 0, agreement / np.maximum(expected, 1), np.nan)
    score, quality = (float(agreement.sum() / count) if count else 0.0 for count in (total, own))
    return Fit(score, quality, float(total), len(people.frame), by_view)


def bone_lengths(points: np.ndarray) -> dict[str, np.ndarray]:
    """Lengths of people's bones, metres.

    Args:
        points: (P, 17, 3), NaN where missing.

    Returns:
        {name of `COCO_BONES`: (P, 2) left and right, NaN where missing}.
    """
    return {
        name: np.stack([np.linalg.norm(points[:, a] - points[:, b], axis=-1) for a, b in sides], -1)
        for name, sides in COCO_BONES.items()
    }


def possible(points: np.ndarray) -> np.ndarray:
    """Share of each person's bones that a person can have.

    Args:
        points: (P, 17, 3) metres, NaN where missing.

    Returns:
        (P,); 0 for people of whom no bone is known.
    """
    known, good = np.zeros(len(points)), np.zeros(len(points))
    for name, lengths in bone_lengths(points).items():
        short, long = BODY[name]
        known += np.isfinite(lengths).sum(1)
        with np.errstate(invalid="ignore"):
            good += ((lengths > 0.6 * short) & (lengths < 1.2 * long)).sum(1)
    return np.where(known > 0, good / np.maximum(known, 1), 0.0)


def stature(points: np.ndarray) -> float:
    """How large people are, as a share of usual grown-up ones: median over bones and people; NaN if none is known."""
    lengths = bone_lengths(points)
    shares = np.concatenate([(lengths[name] / usual).ravel() for name, usual in USUAL.items()])
    return float(np.nanmedian(shares)) if np.isfinite(shares).any() else float("nan")
