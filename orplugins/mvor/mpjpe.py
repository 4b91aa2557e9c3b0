"""The table of MVOR's multi-view 3D regression: joint errors by the number of views that support a person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orplugins.geometry.pose_error import checked_poses
from orplugins.skeletons import H36M_17, H36M_17_OF_32

# Joints of the released 3D results: head, neck, R shoulder, R elbow, L shoulder, L elbow, R wrist, L wrist, R hip, L
# hip.
MV3DREG_JOINTS = 10
# Among Human3.6M's 32, as in the released 2D input: the joints that make a view count.
_SUPPORT_JOINTS = [
    H36M_17_OF_32[H36M_17.index(f"{side}_{joint}")]
    for side in ("left", "right")
    for joint in ("shoulder", "elbow", "wrist", "hip")
]
_SUPPORT_SCORE = 0.001
_SUPPORT_MORE_THAN = 2


@dataclass(frozen=True)
class SupportErrors:
    """Errors of the people seen in one number of views.

    Attributes:
        persons: Number of people.
        shoulder, hip, elbow, wrist: Mean errors, centimetres.
    """

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

    Args:
        encoded: (N, V * 32 * 3) or (N, V, 32, 3) 2D detections, x, y, score, view-major, Human3.6M's 32 joint numbers.

    Returns:
        (N,) int.

    Raises:
        ValueError: Another shape.
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

    Args:
        predicted: (N, 10, 3) or (N, 30) millimetres, origin at the midpoint of the shoulders; joints 0 head, 1 neck, 2
            R shoulder, 3 R elbow, 4 L shoulder, 5 L elbow, 6 R wrist, 7 L wrist, 8 R hip, 9 L hip. The head is not
            used.
        target: True poses, in the same form.
        support: (N,) number of views; people with none are in no row.

    Returns:
        Errors by support, for those supports above 0 that occur. Hip is the error of the hip *centre*, the others are
        means over both sides.

    Raises:
        ValueError: Shapes that do not fit, NaN or infinity.
    """
    predicted, target = (_unflatten(np.asarray(poses, dtype=np.float64)) for poses in (predicted, target))
    predicted, target, _ = checked_poses(predicted, target, None)
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
