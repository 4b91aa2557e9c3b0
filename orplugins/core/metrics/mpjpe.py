"""Joint errors of 3D poses: the generic mean errors, and the table of MVOR's multi-view 3D regression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Joints of the released 3D results: head, neck, R shoulder, R elbow, L shoulder, L elbow, R wrist, L wrist, R hip, L
# hip.
MV3DREG_JOINTS = 10
# Human3.6M numbers of shoulders, elbows, wrists and hips in the released 2D input: the joints that make a view count.
_SUPPORT_JOINTS = [25, 26, 17, 18, 27, 19, 1, 6]
_SUPPORT_SCORE = 0.001
_SUPPORT_MORE_THAN = 2


def mpjpe(predicted: np.ndarray, target: np.ndarray, valid: np.ndarray | None = None) -> float:
    """Mean per-joint position error without alignment, in the unit of the input.

    Parameters
    ----------
    predicted, target : (N, J, 3).
    valid : (N, J) bool, joints that count; all if None.
    """
    return _mean_error(*_check(predicted, target, valid))


def n_mpjpe(predicted: np.ndarray, target: np.ndarray, valid: np.ndarray | None = None) -> float:
    """MPJPE after each pose is scaled by the factor that fits best (least squares)."""
    predicted, target, valid = _check(predicted, target, valid)
    weight = valid[..., None]
    norm = (weight * predicted**2).sum(axis=(1, 2))
    # A pose at the origin fits equally badly at every scale.
    scale = (weight * predicted * target).sum(axis=(1, 2)) / np.where(norm > 0, norm, 1)
    return _mean_error(scale[:, None, None] * predicted, target, valid)


def p_mpjpe(predicted: np.ndarray, target: np.ndarray, valid: np.ndarray | None = None) -> float:
    """MPJPE after each pose is moved, rotated and scaled to fit best (Procrustes; reflections are not allowed)."""
    predicted, target, valid = _check(predicted, target, valid)
    aligned = predicted.copy()
    for i, mask in enumerate(valid):
        if mask.any():
            aligned[i, mask] = _procrustes(predicted[i, mask], target[i, mask])
    return _mean_error(aligned, target, valid)


@dataclass(frozen=True)
class SupportErrors:
    """Errors in centimetres of the persons seen in one number of views."""

    persons: int
    shoulder: float
    hip: float
    elbow: float
    wrist: float

    @property
    def columns(self) -> dict[str, float]:
        """Row of the published table: Shoulder, Hip, Elbow, Wrist, Average (cm)."""
        row = {"Shoulder": self.shoulder, "Hip": self.hip, "Elbow": self.elbow, "Wrist": self.wrist}
        return {**row, "Average": float(np.mean(list(row.values())))}


def view_support(encoded: np.ndarray) -> np.ndarray:
    """Number of views that support each person.

    A view counts if more than two of shoulders, elbows, wrists and hips were detected in it with a score above 0.001.

    Parameters
    ----------
    encoded : (N, V * 32 * 3) or (N, V, 32, 3) 2D detections, x, y, score, view-major, Human3.6M's 32 joint numbers.

    Returns
    -------
    (N,) int.
    """
    encoded = np.asarray(encoded)
    if encoded.ndim == 2 and encoded.shape[1] % 96 == 0:
        encoded = encoded.reshape(len(encoded), -1, 32, 3)
    if encoded.ndim != 4 or encoded.shape[2:] != (32, 3):
        raise ValueError(f"2D input has shape {encoded.shape}, expected (N, V * 96) or (N, V, 32, 3)")
    seen = (encoded[:, :, _SUPPORT_JOINTS, 2] > _SUPPORT_SCORE).sum(axis=2)
    return (seen > _SUPPORT_MORE_THAN).sum(axis=1)


def mv3dreg_errors(predicted: np.ndarray, target: np.ndarray, support: np.ndarray) -> dict[int, SupportErrors]:
    """MPJPE by number of supporting views, as published for MVOR: no alignment, no scaling.

    Parameters
    ----------
    predicted, target : (N, 10, 3) or (N, 30) millimetres, origin at the midpoint of the shoulders; joints 0 head, 1
        neck, 2 R shoulder, 3 R elbow, 4 L shoulder, 5 L elbow, 6 R wrist, 7 L wrist, 8 R hip, 9 L hip. The head is not
        used.
    support : (N,) number of views; persons with none are in no row.

    Returns
    -------
    Errors by support, for those supports above 0 that occur. Hip is the error of the hip *centre*, the others are means
    over both sides.
    """
    predicted, target = (_unflatten(np.asarray(poses, dtype=np.float64)) for poses in (predicted, target))
    predicted, target, _ = _check(predicted, target, None)
    if predicted.shape[1] != MV3DREG_JOINTS:
        raise ValueError(f"3D poses have {predicted.shape[1]} joints, expected {MV3DREG_JOINTS}")
    support = np.asarray(support)
    if support.shape != (len(predicted),):
        raise ValueError(f"support has shape {support.shape}, expected ({len(predicted)},)")
    predicted, target = (
        np.concatenate([poses, poses[:, 8:10].mean(axis=1, keepdims=True)], axis=1) for poses in (predicted, target)
    )
    error = np.linalg.norm(predicted - target, axis=-1) / 10  # mm to cm
    table = {}
    for views in range(1, int(support.max(initial=0)) + 1):
        rows = error[support == views]
        if len(rows):
            mean = rows.mean(axis=0)
            shoulder, elbow, wrist = ((mean[i] + mean[j]) / 2 for i, j in ((2, 4), (3, 5), (6, 7)))
            table[views] = SupportErrors(len(rows), float(shoulder), float(mean[10]), float(elbow), float(wrist))
    return table


def _unflatten(poses: np.ndarray) -> np.ndarray:
    """(N, 3 J) as (N, J, 3)."""
    return poses.reshape(len(poses), poses.shape[1] // 3, 3) if poses.ndim == 2 and poses.shape[1] % 3 == 0 else poses


def _check(predicted: np.ndarray, target: np.ndarray, valid: np.ndarray | None) -> tuple[np.ndarray, ...]:
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


def _procrustes(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """`source` (J, 3) after the similarity transform that brings it closest to `target` (Umeyama 1991)."""
    centre, goal = source.mean(axis=0), target.mean(axis=0)
    x, y = source - centre, target - goal
    u, singular, vt = np.linalg.svd(x.T @ y)
    sign = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    norm = (x**2).sum()
    scale = (singular * sign).sum() / norm if norm > 0 else 0.0
    return scale * x @ (u * sign) @ vt + goal
