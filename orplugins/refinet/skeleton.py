"""The network input of RefiNet's module B: a pose, scaled axis by axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orplugins.refinet.checks import checked_joints

# Statistics of ITOP's side view, millimetres, y up.
ITOP_MEAN = (-69.99581540086376, -267.5736522476197, 2941.162302133814)
ITOP_STD = (181.09583842180834, 501.31640903793743, 175.27181130365182)


@dataclass(frozen=True)
class SkeletonScale:
    """(pose - mean) / std of the joints that are there; a missing joint is (0, 0, 0).

    Attributes:
        mean, std: Millimetres; ITOP's by default.
        root: "camera": as it is (published). "median": the median of the present joints is subtracted first, so that
            the network sees a pose, not a place; `mean` and `std` are then those of such poses.
    """

    mean: tuple[float, float, float] = ITOP_MEAN
    std: tuple[float, float, float] = ITOP_STD
    root: str = "camera"

    def __post_init__(self):
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise ValueError(f"SkeletonScale: found mean {self.mean}, std {self.std}, expected three numbers, std > 0")
        if self.root not in ("camera", "median"):
            raise ValueError(f"root: found {self.root!r}, expected 'camera' or 'median'")

    def __call__(self, poses_mm: np.ndarray, valid: np.ndarray | None = None) -> np.ndarray:
        """Network input (..., K, 3) float64 of poses (..., K, 3); present are joints with z != 0 if `valid` is None."""
        poses = checked_joints(poses_mm, 3, "poses")
        valid = poses[..., 2] != 0 if valid is None else np.asarray(valid, dtype=bool)
        poses = poses - self.roots(poses, valid)[..., None, :]
        return np.where(valid[..., None], (poses - self.mean) / self.std, 0.0)

    def roots(self, poses_mm: np.ndarray, valid: np.ndarray) -> np.ndarray:
        """What is subtracted first, and added to places that a network predicts.

        Args:
            poses_mm: (..., K, 3) millimetres.
            valid: (..., K) bool.

        Returns:
            (..., 3); zeros for "camera".
        """
        if self.root == "camera":
            return np.zeros((*np.shape(poses_mm)[:-2], 3))
        return median_root(np.asarray(poses_mm, dtype=np.float64), np.asarray(valid, dtype=bool))[..., 0, :]


def median_root(poses: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Median of the present joints.

    Args:
        poses: (..., K, 3).
        valid: (..., K) bool.

    Returns:
        (..., 1, 3); zeros where there is none.
    """
    count = valid.sum(axis=-1)[..., None]
    order = np.sort(np.where(valid[..., None], poses, np.inf), axis=-2)
    low = np.take_along_axis(order, np.maximum(count - 1, 0)[..., None, :] // 2, axis=-2)
    high = np.take_along_axis(order, np.minimum(count // 2, poses.shape[-2] - 1)[..., None, :], axis=-2)
    with np.errstate(invalid="ignore"):
        return np.where(count[..., None, :] > 0, (low + high) / 2, 0.0)
