"""Who is who between two cameras."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orplugins.geometry.rectified import ParallelRig, StereoRules
from orplugins.geometry.triangulation import present
from orplugins.skeletons import BODY_25


@dataclass(frozen=True)
class PairRules:
    """Weights of the cost between people of two cameras.

    Attributes:
        outside_px: Cost if all joints lie outside the range of depths, pixels.
        torso_px: Cost per unit of the logarithm of the torso's length over ``torso_m``, pixels.
        torso_m: Usual length of a torso, metres.
        min_joints: Minimum number of common joints.
        reject_px: Maximum cost of a pair, pixels.
    """

    outside_px: float = 50.0
    torso_px: float = 20.0
    torso_m: float = 0.50
    min_joints: int = 6
    reject_px: float = 25.0


def pair_cost(
    left: np.ndarray,
    right: np.ndarray,
    rig: ParallelRig,
    pair: PairRules | None = None,
    rules: StereoRules | None = None,
) -> np.ndarray:
    """Cost that people of two parallel cameras are one.

    Rows alone cannot separate two people at one distance: disparity range and body size help.

    Args:
        left: (L, 25, 3) people of the left camera, BODY_25.
        right: (R, 25, 3) people of the right camera.
        rig: The pair.
        pair: Weights; None: the defaults.
        rules: Limits of single joints; None: the defaults.

    Returns:
        (L, R) pixels; infinity for too few common joints.
    """
    pair, rules = pair or PairRules(), rules or StereoRules()
    neck, hip = BODY_25.index("neck"), BODY_25.index("mid_hip")
    factor = rig.focal_px * rig.baseline_m
    cost = np.full((len(left), len(right)), np.inf)
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            used = present(a) & present(b) & (np.minimum(a[:, 2], b[:, 2]) >= rules.conf_min)
            if used.sum() < pair.min_joints:
                continue
            rows = np.abs((a[:, 1] - rig.left[1]) - (b[:, 1] - rig.right[1]))
            disparity = (a[:, 0] - rig.left[0]) - (b[:, 0] - rig.right[0])
            outside = (disparity < factor / rules.z_max_m) | (disparity > factor / rules.z_min_m)
            torso = 0.0
            if used[neck] and used[hip]:
                torso = 5.0
                if disparity[neck] > 0 and disparity[hip] > 0:
                    ends = [
                        np.array(
                            [a[k, 0] - rig.left[0], (a[k, 1] - rig.left[1] + b[k, 1] - rig.right[1]) / 2, rig.focal_px]
                        )
                        * (rig.baseline_m / disparity[k])
                        for k in (neck, hip)
                    ]
                    torso = abs(np.log(np.linalg.norm(ends[0] - ends[1]) / pair.torso_m))
            cost[i, j] = np.median(rows[used]) + pair.outside_px * outside[used].mean() + pair.torso_px * torso
    return cost
