"""How far to trust a refined joint."""

from __future__ import annotations

import numpy as np

from orplugins.refinet.depth_camera import DepthCamera
from orplugins.refinet.lift import LiftSettings, lift

# A joint lies inside its body part, up to 0.2 m behind the surface (a hip): more than this is something in front of it.
HIDDEN_MM = 250.0
# What is left of the 2D score where the image says nothing about a joint's distance.
HIDDEN_TRUST = 0.5


def joint_confidence(
    points_mm: np.ndarray, valid: np.ndarray, scores: np.ndarray, depth_mm: np.ndarray, camera: DepthCamera
) -> tuple[np.ndarray, np.ndarray]:
    """Confidence of refined joints, and which of them are hidden.

    Args:
        points_mm: (M, K, 3) refined joints, millimetres, y up.
        valid: (M, K) bool.
        scores: (M, K) of the 2D pose.
        depth_mm: (H, W) millimetres, 0 = hole.
        camera: Of the depth image.

    Returns:
        confidence: (M, K): the 2D score; half of it where the joint is hidden or its pixel has no depth, because its
            distance then comes from the other joints; 0 where it is missing.
        hidden: (M, K) bool: the surface at its pixel is more than 0.25 m in front of the joint.
    """
    if not np.size(points_mm):
        return np.zeros(np.shape(valid)), np.zeros(np.shape(valid), dtype=bool)
    surface, measured = lift(camera.project(points_mm), depth_mm, camera, LiftSettings("pixel"))
    hidden = measured & (surface[..., 2] < np.asarray(points_mm)[..., 2] - HIDDEN_MM) & valid
    trust = np.where(hidden | ~measured, HIDDEN_TRUST, 1.0)
    return np.asarray(scores) * trust * valid, hidden
