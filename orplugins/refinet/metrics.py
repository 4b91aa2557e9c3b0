"""RefiNet's protocol on ITOP: share of joints within 10 cm (there called "mAP") and mean distance, and its OKS.

The share is a micro-average over all counted joints of all frames: neither a mean over joints nor an average precision.
Poses are ITOP-15, millimetres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

UPPER, LOWER = tuple(range(8)), tuple(range(8, 15))
OKS_SIGMA = 0.107
# Used by the published code where a configuration names no sigma.
ITOP_SIGMAS = (0.107, 0.107, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089)
OKS_THRESHOLDS = tuple(np.round(np.arange(0.5, 0.96, 0.05), 2).tolist())


@dataclass(frozen=True)
class JointDistances:
    """Errors of N poses.

    Attributes:
        errors: (N, K) millimetres.
        counted: (N, K) bool.
    """

    errors: np.ndarray
    counted: np.ndarray

    def accuracy(self, threshold_mm: float, joints: tuple[int, ...] | None = None) -> float:
        """Share of counted joints with an error below a threshold.

        Args:
            threshold_mm: Millimetres.
            joints: Indices; None: all.

        Returns:
            0 to 1; NaN where none is counted.
        """
        errors, counted = self._part(joints)
        return float((errors[counted] < threshold_mm).mean()) if counted.any() else float("nan")

    def mean_cm(self, joints: tuple[int, ...] | None = None) -> float:
        """Mean error of counted joints.

        Args:
            joints: Indices; None: all.

        Returns:
            Centimetres; NaN where none is counted.
        """
        errors, counted = self._part(joints)
        return float(errors[counted].mean() / 10) if counted.any() else float("nan")

    def count(self, joints: tuple[int, ...] | None = None) -> int:
        """Number of counted joints.

        Args:
            joints: Indices; None: all.

        Returns:
            The number.
        """
        return int(self._part(joints)[1].sum())

    def _part(self, joints):
        if joints is None:
            return self.errors, self.counted
        return self.errors[:, list(joints)], self.counted[:, list(joints)]


def joint_distances(
    predicted: np.ndarray, target: np.ndarray, visible: np.ndarray, decimals: int | None = None
) -> JointDistances:
    """Distances of refined joints from true ones.

    Args:
        predicted: (N, K, 3) millimetres.
        target: (N, K, 3) millimetres.
        visible: (N, K); joints with 1 count.
        decimals: Round both poses first (3 in the published test program, none in training).

    Returns:
        The errors.

    Raises:
        ValueError: Shapes that do not fit, or NaN or infinity in a joint that counts.
    """
    predicted, target = np.asarray(predicted), np.asarray(target)
    visible = np.asarray(visible)
    if predicted.ndim != 3 or predicted.shape[-1] != 3 or predicted.shape != target.shape:
        raise ValueError(f"poses have shapes {predicted.shape} and {target.shape}, expected the same (N, K, 3)")
    if visible.shape != predicted.shape[:2]:
        raise ValueError(f"visible has shape {visible.shape}, expected {predicted.shape[:2]}")
    counted = visible == 1
    if not (np.isfinite(predicted[counted]).all() and np.isfinite(target[counted]).all()):
        raise ValueError("poses hold NaN or infinity in joints that count, expected finite millimetres")
    if decimals is not None:
        predicted, target = np.round(predicted, decimals), np.round(target, decimals)
    difference = np.where(counted[..., None], predicted, 0).astype(np.float64) - np.where(counted[..., None], target, 0)
    return JointDistances(np.sqrt((difference**2).sum(-1)), counted)


@dataclass(frozen=True)
class OKSResult:
    """OKS by threshold and joint.

    Attributes:
        ap: Share of frames above each of `OKS_THRESHOLDS`.
        joint: (K,) mean share of joints above them.
        joint50: (K,) share above 0.5.
        joint75: (K,) share above 0.75.
    """

    ap: np.ndarray
    joint: np.ndarray
    joint50: np.ndarray
    joint75: np.ndarray

    @property
    def mean_ap(self) -> float:
        """Mean of `ap`."""
        return float(self.ap.mean())


def refinet_oks(predicted: np.ndarray, target: np.ndarray, sigmas: float | tuple[float, ...] = OKS_SIGMA) -> OKSResult:
    """OKS of 2D poses as RefiNet counts it.

    The scale is the area of the box around the **predicted** joints. A joint counts where its label is not (0, 0), a
    frame where any joint does.

    Args:
        predicted: (N, K, 2) pixels.
        target: (N, K, 2) pixels, (0, 0) = missing.
        sigmas: One for all joints, or one each.

    Returns:
        Shares; NaN where no frame counts.

    Raises:
        ValueError: Shapes that do not fit.
    """
    predicted, target = np.asarray(predicted, dtype=np.float64), np.asarray(target, dtype=np.float64)
    if predicted.ndim != 3 or predicted.shape[-1] != 2 or predicted.shape != target.shape:
        raise ValueError(f"poses have shapes {predicted.shape} and {target.shape}, expected the same (N, K, 2)")
    labelled = (target != 0).any(-1)
    frames = labelled.any(1)
    area = np.ptp(predicted, axis=1).prod(-1)[:, None]
    variance = (2 * np.broadcast_to(np.asarray(sigmas, dtype=np.float64), predicted.shape[1:2])) ** 2
    similarity = np.exp(-((predicted - target) ** 2).sum(-1) / (variance * (area + 1e-16) * 2)) * labelled
    score = (similarity.sum(1) / np.maximum(labelled.sum(1), 1))[frames]
    thresholds = np.array(OKS_THRESHOLDS)
    empty = np.full(len(thresholds), np.nan)
    ap = (score > thresholds[:, None]).mean(1) if frames.any() else empty
    counts = np.maximum(labelled.sum(0), 1)
    joints = ((similarity > thresholds[:, None, None]) & labelled).sum(1) / counts
    return OKSResult(ap, joints.mean(0), joints[0], joints[OKS_THRESHOLDS.index(0.75)])


def distance_table(stages: dict[str, JointDistances], joints: Sequence[str], threshold_mm: float = 100) -> str:
    """Text with the share of joints within the threshold (percent) and the mean error (cm), joint by joint.

    Args:
        stages: Name -> distances.
        joints: K names.
        threshold_mm: Millimetres.

    Returns:
        Lines joined by newlines; the last ones are both halves of the body and all joints.
    """
    groups: list[tuple[str, tuple[int, ...] | None]] = [(name, (i,)) for i, name in enumerate(joints)]
    groups += [("upper body", UPPER), ("lower body", LOWER), ("all", None)]
    head = "joint".ljust(16) + "".join(f"{name:>18}" for name in stages)
    unit = " " * 16 + "".join(f"{f'@{threshold_mm / 10:g}cm':>9}{'cm':>9}" for _ in stages)
    lines = [head, unit]
    for label, part in groups:
        cells = (
            f"{100 * found.accuracy(threshold_mm, part):9.1f}{found.mean_cm(part):9.2f}" for found in stages.values()
        )
        lines.append(f"{label:<16}" + "".join(cells))
    return "\n".join(lines)
