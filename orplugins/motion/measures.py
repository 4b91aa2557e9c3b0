"""Measures of motions: spikes, bone lengths, joint angles, errors of poses that lack joints.

Poses are (F, J, 3) in metres with NaN for missing joints. What needs no second recording describes one recording by
itself; the rest compares two, and says how they agree, not which is right.
"""

from __future__ import annotations

import numpy as np

from orplugins.geometry.similarity import fit_similarity, procrustes
from orplugins.geometry.timeseries import running_median
from orplugins.skeletons import CORE_12

CORE_ROOTS = (CORE_12.index("left_hip"), CORE_12.index("right_hip"))
CORE_BONES = CORE_12.limbs[:8]  # of arms and legs
_ANGLES = {
    "elbow": ("shoulder", "elbow", "wrist"),
    "knee": ("hip", "knee", "ankle"),
    "shoulder": ("hip", "shoulder", "elbow"),
    "hip": ("shoulder", "hip", "knee"),
}
CORE_ANGLES = {
    f"{side}_{name}": (CORE_12.index(f"{side}_{a}"), CORE_12.index(f"{side}_{b}"), CORE_12.index(f"{side}_{c}"))
    for name, (a, b, c) in _ANGLES.items()
    for side in ("left", "right")
}

SPIKE_M = 0.05


def p_mpjpe_frames(predicted: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Mean error of each frame after its own similarity alignment.

    Args:
        predicted: (F, J, 3) metres; all joints must be finite.
        target: (F, J, 3) likewise.

    Returns:
        (F,) metres.
    """
    aligned = np.stack([procrustes(p, t) for p, t in zip(predicted, target, strict=True)])
    return np.linalg.norm(aligned - target, axis=-1).mean(-1)


def partial_p_mpjpe(predicted: np.ndarray, target: np.ndarray, least: int = 6) -> tuple[float, int]:
    """Mean error after aligning each frame, over the frames that have enough common joints.

    Args:
        predicted: (F, J, 3) metres, NaN = missing.
        target: (F, J, 3) likewise.
        least: Minimum number of common joints of a frame.

    Returns:
        Mean over all joints of these frames, metres, and their number; (NaN, 0) where there is none.
    """
    common = np.isfinite(predicted).all(-1) & np.isfinite(target).all(-1)
    errors = []
    for p, t, mask in zip(predicted, target, common, strict=True):
        if mask.sum() >= least:
            errors.append(np.linalg.norm(fit_similarity(p[mask], t[mask])(p[mask]) - t[mask], axis=-1))
    return (float(np.concatenate(errors).mean()), len(errors)) if errors else (float("nan"), 0)


def partial_n_mpjpe(predicted: np.ndarray, target: np.ndarray) -> float:
    """Mean error after each frame's best scale about the origin; frames without a common joint are left out.

    Args:
        predicted: (F, J, 3) metres, NaN = missing.
        target: (F, J, 3) likewise.

    Returns:
        Metres; NaN where there is no common joint.
    """
    common = (np.isfinite(predicted).all(-1) & np.isfinite(target).all(-1))[..., None]
    p, t = np.where(common, predicted, 0.0), np.where(common, target, 0.0)
    norm = (p**2).sum((1, 2))
    scale = (p * t).sum((1, 2)) / np.where(norm > 0, norm, 1)
    errors = np.linalg.norm(scale[:, None, None] * p - t, axis=-1)[common[..., 0]]
    return float(errors.mean()) if len(errors) else float("nan")


def count_spikes(poses: np.ndarray, limit: float = SPIKE_M) -> int:
    """Number of samples far from the running median of five (at least three of them valid).

    Args:
        poses: (F, J, 3) metres, NaN = missing.
        limit: Maximum distance, metres.

    Returns:
        The number of samples beyond the limit.
    """
    with np.errstate(invalid="ignore"):
        return int((np.linalg.norm(poses - running_median(poses, 2), axis=-1) > limit).sum())


def bone_variation(poses: np.ndarray, bones=CORE_BONES) -> np.ndarray:
    """Population standard deviation of each bone's length over its mean.

    Args:
        poses: (F, J, 3) metres, NaN = missing.
        bones: B pairs of joints.

    Returns:
        (B,); NaN without two samples.
    """
    out = np.full(len(bones), np.nan)
    for k, (i, j) in enumerate(bones):
        length = np.linalg.norm(poses[:, i] - poses[:, j], axis=-1)
        length = length[np.isfinite(length)]
        if len(length) > 1 and length.mean() > 0:
            out[k] = length.std() / length.mean()
    return out


def joint_angle(poses: np.ndarray, joints: tuple[int, int, int]) -> np.ndarray:
    """Angle at a joint, in degrees (an output for people; everything inside is radians).

    Args:
        poses: (F, J, 3), NaN = missing.
        joints: Three joints; the angle is at the second.

    Returns:
        (F,) degrees, NaN where a joint is missing.
    """
    one, two = poses[:, joints[0]] - poses[:, joints[1]], poses[:, joints[2]] - poses[:, joints[1]]
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = (one * two).sum(-1) / (np.linalg.norm(one, axis=-1) * np.linalg.norm(two, axis=-1))
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def range_of_motion(angle: np.ndarray) -> float:
    """97.5th minus 2.5th percentile of an angle's finite samples.

    Args:
        angle: (F,).

    Returns:
        In the unit of the angle; NaN without a finite sample.
    """
    finite = angle[np.isfinite(angle)]
    return float(np.subtract(*np.percentile(finite, [97.5, 2.5]))) if len(finite) else float("nan")
