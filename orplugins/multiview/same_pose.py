"""How much the poses of two views speak for one person, as a logarithm of likelihoods.

Where the rays of a joint meet within the error that annotators and detectors make, that speaks for one person; where
they pass each other as those of any two people in the room do, against. No limit decides alone: a pose with a third of
its joints guessed behind an arm still has the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.geometry.triangulation import camera_rays, intersect_rays, project, world_to_camera_matrices
from orplugins.skeletons import CAMMA_10

_HIPS = [CAMMA_10.index("left_hip"), CAMMA_10.index("right_hip")]


@dataclass(frozen=True)
class PoseRules:
    """The error of joints, in pixels of images 640 wide.

    Attributes:
        error_px: Scale of the error of a joint of confidence 1 (Student's t, three degrees of freedom); of confidence c
            it is that over c, with c at least ``least``.
        least: See there.
        hips: How much less sure hips are.
        chance_px: Mean distance of the rays of different people.
        outliers: Density of errors that are anything, a pixel.
        share: Joints of one pose err together: their sum counts so much.
        near_m: Rays meet at least so far in front of both cameras.
    """

    error_px: float = 7.0
    least: float = 0.4
    hips: float = 1.5
    chance_px: float = 130.0
    outliers: float = 2e-4
    share: float = 0.35
    near_m: float = 0.3


def pose_evidence(
    cameras: Sequence[Camera], first: np.ndarray, second: np.ndarray, rules: PoseRules | None = None
) -> np.ndarray:
    """Logarithm of the ratio of likelihoods that P pairs of poses are one person each, and that they are two.

    Args:
        cameras: The two cameras.
        first: (P, 10, 3) CAMMA-10 in the first one: x, y, confidence; zeros where a joint is missing.
        second: (P, 10, 3) likewise in the second one.
        rules: Errors; None: the defaults.

    Returns:
        (P,); 0 without a common joint.
    """
    rules = rules or PoseRules()
    scale = max(camera.size[0] for camera in cameras) / 640
    both = (first[..., 2] > 0) & (second[..., 2] > 0)
    pixels = np.stack([np.where(both[..., None], pose[..., :2], 0.0) for pose in (first, second)])
    rays, matrices = camera_rays(cameras, pixels), world_to_camera_matrices(cameras)
    points = intersect_rays(matrices, rays, np.broadcast_to(both.astype(float), rays.shape[:-1]))
    predicted, depth = project(matrices, points)
    focal = np.array([(camera.fx, camera.fy) for camera in cameras])[:, None, None]
    with np.errstate(invalid="ignore"):
        error = np.linalg.norm((predicted - rays) * focal, axis=-1).sum(0) / scale
        error = np.where((depth > rules.near_m).all(0) & np.isfinite(error), error, 3 * rules.chance_px)
    width = rules.error_px / np.clip(np.minimum(first[..., 2], second[..., 2]), rules.least, 1.0)
    width[..., _HIPS] *= rules.hips
    same = 12 * np.sqrt(3) / np.pi / (3 + (error / width) ** 2) ** 2 / width
    other = np.exp(-error / rules.chance_px) / rules.chance_px + rules.outliers / 2
    value = np.log(same + rules.outliers) - np.log(other)
    return rules.share * np.where(both, value, 0.0).sum(-1)
