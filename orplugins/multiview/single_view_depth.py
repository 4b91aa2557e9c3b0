"""Joints in 3D of a person whom one camera sees, from the depth image of that camera.

The depth at a joint's pixel is that of the clothes in front of it, or of something else altogether. The surface that is
measured there is moved inwards by the joint's usual depth. Joints that are hidden then lie on what hides them, too far
from the rest of the body: of the joints that possible bones join, the largest group is kept, the others are missing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orplugins.depth.joints import INSET, surface_depth
from orplugins.geometry.cameras import Camera
from orplugins.geometry.triangulation import present
from orplugins.skeletons import COCO_17

# Longest distances between joints of a person, metres.
_LONGEST = {
    ("left_shoulder", "right_shoulder"): 0.5, ("left_hip", "right_hip"): 0.45, ("left_eye", "right_eye"): 0.12,
    **{(f"{s}_{a}", f"{s}_{b}"): m for s in ("left", "right") for a, b, m in (
        ("shoulder", "hip", 0.75), ("shoulder", "elbow", 0.42), ("elbow", "wrist", 0.40), ("hip", "knee", 0.58),
        ("knee", "ankle", 0.58), ("shoulder", "ear", 0.40), ("eye", "ear", 0.2))},
    **{("nose", f"{s}_{b}"): m for s in ("left", "right") for b, m in (("shoulder", 0.5), ("eye", 0.12))},
}  # fmt: skip
_PAIRS = np.array([[COCO_17.index(a), COCO_17.index(b)] for a, b in _LONGEST])
_LENGTHS = np.array(list(_LONGEST.values()))


@dataclass(frozen=True)
class DepthRules:
    """When a joint's depth is believed.

    Attributes:
        window: Half the side of the window around a joint as a share of the person's height in the image.
        least: Minimum number of joints with depth that make a person.
    """

    window: float = 0.015
    least: int = 3


def place_by_depth(
    camera: Camera, keypoints: np.ndarray, depth_mm: np.ndarray, rules: DepthRules | None = None
) -> np.ndarray:
    """Joints in the world by their depth.

    Args:
        camera: With its size; the image may have another size of the same view.
        keypoints: (17, 3) COCO-17 in the camera's pixels, zeros where missing.
        depth_mm: (H, W) uint16 millimetres, 0 = hole.
        rules: Limits; None: the defaults.

    Returns:
        (17, 3) metres; NaN where there is no depth that is believed.
    """
    rules = rules or DepthRules()
    out = np.full((COCO_17.num_joints, 3), np.nan)
    points = joints_on_depth(camera, keypoints, depth_mm, rules)
    if np.isfinite(points).all(-1).sum() < rules.least:
        return out
    kept = largest_body(points)
    if kept.sum() >= rules.least:
        out[kept] = points[kept]
    return out


def joints_on_depth(
    camera: Camera, keypoints: np.ndarray, depth_mm: np.ndarray, rules: DepthRules | None = None
) -> np.ndarray:
    """Joints in the world by the depth at their pixels, believed or not; arguments and result as `place_by_depth`."""
    joint = joint_depths(camera, keypoints, depth_mm, rules)
    points = np.full((COCO_17.num_joints, 3), np.nan)
    known = np.isfinite(joint)
    points[known] = camera.back_project(keypoints[known, :2], joint[known], undistort=True)
    return points


def joint_depths(
    camera: Camera, keypoints: np.ndarray, depth_mm: np.ndarray, rules: DepthRules | None = None
) -> np.ndarray:
    """(17,) distances of joints along the camera's axis: what is seen at their pixels, moved inwards; NaN for holes.

    Arguments as `place_by_depth`. The distance of a hidden joint is that of what hides it.
    """
    rules = rules or DepthRules()
    there = present(keypoints)
    if not there.any():
        return np.full(COCO_17.num_joints, np.nan)
    scale = np.array(depth_mm.shape[::-1]) / camera.size
    pixels = (keypoints[:, :2] + 0.5) * scale - 0.5
    span = np.ptp(pixels[there], axis=0).max()
    surface = surface_depth(depth_mm, pixels, int(max(1, round(rules.window * span))))
    return np.where(there, surface, np.nan) + INSET


def largest_body(points: np.ndarray) -> np.ndarray:
    """The joints of the largest group that possible bones join.

    Args:
        points: (17, 3) metres, NaN where missing.

    Returns:
        (17,) bool.
    """
    with np.errstate(invalid="ignore"):
        bones = _PAIRS[np.linalg.norm(points[_PAIRS[:, 0]] - points[_PAIRS[:, 1]], axis=-1) <= _LENGTHS]
    group = np.arange(len(points))
    for a, b in bones:
        group[group == group[a]] = group[b]
    known = np.isfinite(points).all(-1)
    sizes = np.bincount(group[known], minlength=1)
    return known & (group == sizes.argmax())
