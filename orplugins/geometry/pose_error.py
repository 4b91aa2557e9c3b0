"""Errors of 3D poses against true ones, without alignment, after scaling, after Procrustes."""

from __future__ import annotations

import numpy as np

from orplugins.geometry.similarity import procrustes


def mpjpe(predicted: np.ndarray, target: np.ndarray, valid: np.ndarray | None = None) -> float:
    """Mean per-joint position error without alignment (Ionescu et al., TPAMI 2014; "protocol 1").

    Args:
        predicted: (N, J, 3).
        target: (N, J, 3).
        valid: (N, J) bool, joints that count; all if None.

    Returns:
        The mean distance in the unit of the input.

    Raises:
        ValueError: Other shapes, or NaN or infinity in a joint that counts.
    """
    return _mean_error(*checked_poses(predicted, target, valid))


def n_mpjpe(predicted: np.ndarray, target: np.ndarray, valid: np.ndarray | None = None) -> float:
    """MPJPE after each pose is scaled by the factor that fits best, by least squares (Rhodin et al., CVPR 2018).

    Args:
        predicted: (N, J, 3).
        target: (N, J, 3).
        valid: (N, J) bool, joints that count; all if None.

    Returns:
        The mean distance in the unit of the input.

    Raises:
        ValueError: As in `mpjpe`.
    """
    predicted, target, valid = checked_poses(predicted, target, valid)
    weight = valid[..., None]
    norm = (weight * predicted**2).sum(axis=(1, 2))
    # A pose at the origin fits equally badly at every scale.
    scale = (weight * predicted * target).sum(axis=(1, 2)) / np.where(norm > 0, norm, 1)
    return _mean_error(scale[:, None, None] * predicted, target, valid)


def p_mpjpe(predicted: np.ndarray, target: np.ndarray, valid: np.ndarray | None = None) -> float:
    """MPJPE after each pose is moved, rotated and scaled to fit best (Procrustes; "protocol 2").

    Reflections are not allowed.

    Args:
        predicted: (N, J, 3).
        target: (N, J, 3).
        valid: (N, J) bool, joints that count; all if None.

    Returns:
        The mean distance in the unit of the input.

    Raises:
        ValueError: As in `mpjpe`.
    """
    predicted, target, valid = checked_poses(predicted, target, valid)
    aligned = predicted.copy()
    for i, mask in enumerate(valid):
        if mask.any():
            aligned[i, mask] = procrustes(predicted[i, mask], target[i, mask])
    return _mean_error(aligned, target, valid)


def checked_poses(predicted: np.ndarray, target: np.ndarray, valid: np.ndarray | None) -> tuple[np.ndarray, ...]:
    """Check the arguments of a pose error.

    Args:
        predicted: (N, J, 3).
        target: (N, J, 3).
        valid: (N, J) bool, joints that count; all if None.

    Returns:
        Predicted and true poses in float64 with zeros in joints that do not count, and (N, J) bool which ones do.

    Raises:
        ValueError: Other shapes, or NaN or infinity in a joint that counts.
    """
    predicted, target = np.asarray(predicted, dtype=np.float64), np.asarray(target, dtype=np.float64)
    if predicted.ndim != 3 or predicted.shape[-1] != 3 or predicted.shape != target.shape:
        raise ValueError(f"poses have shapes {predicted.shape} and {target.shape}, expected the same (N, J, 3)")
    valid = np.ones(predicted.shape[:2], dtype=bool) if valid is None else np.asarray(valid, dtype=bool)
    if valid.shape != predicted.shape[:2]:
        raise ValueError(f"valid has shape {valid.shape}, expected {predicted.shape[:2]}")
    if not (np.isfinite(predicted[valid]).all() and np.isfinite(target[valid]).all()):
        raise ValueError("poses hold NaN or infinity in joints that count, expected finite coordinates")
    # Joints that do not count may hold anything; zeros keep NaN out of the sums.
    return np.where(valid[..., None], predicted, 0.0), np.where(valid[..., None], target, 0.0), valid


def _mean_error(predicted: np.ndarray, target: np.ndarray, valid: np.ndarray) -> float:
    if not valid.any():
        raise ValueError("no joint counts: the mean error is not defined")
    return float(np.linalg.norm(predicted - target, axis=-1)[valid].mean())


def velocity_error(predicted: np.ndarray, target: np.ndarray) -> float:
    """Mean per-joint velocity error (MPJVE): the mean distance of the first differences along time.

    Source: Pavllo et al., CVPR 2019.

    Args:
        predicted: (F, J, 3).
        target: (F, J, 3).

    Returns:
        The error per frame in the unit of the input; NaN pairs are left out, and NaN where none is left.
    """
    difference = np.linalg.norm(np.diff(predicted, axis=0) - np.diff(target, axis=0), axis=-1)
    return float(np.nanmean(difference)) if np.isfinite(difference).any() else float("nan")
