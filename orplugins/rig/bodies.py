"""What is known of people's bodies: lengths of bones and their spread."""

from __future__ import annotations

import numpy as np

from orplugins.skeletons import COCO_BONES

# Of the bones of COCO-17, the usual length in metres and its spread as a share, between joints as 2D detectors place
# them. About those of grown-up people 1.70 m tall: between the generated bodies' of `orplugins.synthetic` and those
# that OpenPose finds on MVOR.
BONES = {
    "upper arm": (0.270, 0.12),
    "forearm": (0.240, 0.12),
    "trunk": (0.485, 0.15),
    "thigh": (0.395, 0.12),
    "shin": (0.398, 0.12),
}
STATURE_M = 1.70
# Share of a bone in what is said of the scale: estimators disagree about where hips are.
TRUST = {"upper arm": 1.0, "forearm": 1.0, "trunk": 0.25, "thigh": 1.0, "shin": 1.0}

ENDS = np.array([ends for name in BONES for ends in COCO_BONES[name]])  # (10, 2)
USUAL = np.repeat([bone[0] for bone in BONES.values()], 2)
SPREAD = np.repeat([bone[1] for bone in BONES.values()], 2)


def bone_lengths(points: np.ndarray) -> np.ndarray:
    """(..., 10) lengths of `ENDS` of (..., 17, 3) points; NaN where an end is missing."""
    return np.linalg.norm(points[..., ENDS[:, 0], :] - points[..., ENDS[:, 1], :], axis=-1)


def bone_ratios(points: np.ndarray) -> np.ndarray:
    """(..., 10) the same as shares of the usual lengths."""
    return bone_lengths(points) / USUAL


def body_size(points: np.ndarray, least: int = 8) -> tuple[float, int]:
    """How large people are, as a share of the usual size.

    Args:
        points: (P, 17, 3), NaN where missing.
        least: A kind of bone counts from so many on.

    Returns:
        The share, a mean over kinds of bones of their medians, and the number of bones; NaN where there are too few.
    """
    ratios = bone_ratios(points)
    total = weight = 0.0
    count = 0
    for k, name in enumerate(BONES):
        own = ratios[:, 2 * k : 2 * k + 2]
        own = own[np.isfinite(own)]
        if len(own) >= least:
            total, weight, count = (
                total + TRUST[name] * float(np.log(np.median(own))),
                weight + TRUST[name],
                count + len(own),
            )
    return (float(np.exp(total / weight)), count) if weight else (float("nan"), 0)
