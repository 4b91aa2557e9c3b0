"""From 2D joints to a root-relative 3D pose: joint maps, normalisation, mirroring.

Source: Srivastav, Gangi, Padoy, "Self-supervision on Unlabelled OR Data for Multi-person 2D/3D Human Pose Estimation"
(MICCAI 2020), whose lifting networks read Human3.6M joints normalised per coordinate. Their conventions are kept,
because published weights depend on them: the lifter's row leaves out the thorax and has the middle of the ears twice.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from orplugins.skeletons import H36M_17, H36M_17_OF_32

# H36M joint -> the COCO joints whose mean it is. 7, the spine, lies half-way between pelvis and thorax.
_SOURCES = ((11, 12), (12,), (14,), (16,), (11,), (13,), (15,), (5, 6, 11, 12), (5, 6), (3, 4), (3, 4),
            (5,), (7,), (9,), (6,), (8,), (10,))  # fmt: skip
COCO_TO_H36 = np.zeros((17, 17))
for _joint, _parts in enumerate(_SOURCES):
    COCO_TO_H36[_joint, list(_parts)] = 1 / len(_parts)

LIFTER_JOINTS = np.array([joint for joint in range(17) if joint != 8])
ROW, TARGET = 2 * len(LIFTER_JOINTS), 3 * 16
# The COCO joints that a lifter's row is made of: everything but nose and eyes.
LIFTED_COCO_JOINTS = np.arange(3, 17)
# CAMMA-10 among the 17 joints: the predicted head is H36M's neck, the predicted neck its thorax.
H36_TO_CAMMA = np.array([9, 8, 11, 14, 4, 1, 12, 15, 13, 16])

_FLIP = np.array(H36M_17.flip_indices)
_ROW_FLIP = np.array([LIFTER_JOINTS.tolist().index(joint) for joint in _FLIP[LIFTER_JOINTS]])
_TARGET_FLIP = _FLIP[1:] - 1
_OF_32 = np.array(H36M_17_OF_32)


@dataclass(frozen=True)
class PoseStatistics:
    """Means and standard deviations that rows and 3D poses are normalised with, in the published file's layout.

    Attributes:
        mean_2d, std_2d: (64,) pixels, 32 joints x (x, y).
        use_2d: (32,) int, the entries that a row uses.
        mean_3d, std_3d: (96,) millimetres, 32 joints x (x, y, z), relative to the pelvis, y down.
        use_3d: (48,) int, the entries that a 3D target uses.
    """

    mean_2d: np.ndarray
    std_2d: np.ndarray
    use_2d: np.ndarray
    mean_3d: np.ndarray
    std_3d: np.ndarray
    use_3d: np.ndarray

    def __post_init__(self):
        for name, size in (
            ("mean_2d", 64),
            ("std_2d", 64),
            ("use_2d", ROW),
            ("mean_3d", 96),
            ("std_3d", 96),
            ("use_3d", TARGET),
        ):
            value = getattr(self, name)
            if value.shape != (size,) or not np.isfinite(value).all():
                raise ValueError(f"pose statistics: {name} has shape {value.shape}, expected ({size},) finite numbers")
        for axes, last in (("2d", 63), ("3d", 95)):
            use = getattr(self, f"use_{axes}")
            if use.min() < 0 or use.max() > last or len(set(use.tolist())) != len(use):
                raise ValueError(f"pose statistics: use_{axes} holds {use.tolist()}, expected different 0 to {last}")
            if not (getattr(self, f"std_{axes}")[use] > 0).all():
                raise ValueError(f"pose statistics: std_{axes} has a used entry that is not above 0")

    @property
    def row(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of a lifter's row, (32,) each."""
        return self.mean_2d[self.use_2d], self.std_2d[self.use_2d]

    @property
    def target(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of a 3D target, (48,) each."""
        return self.mean_3d[self.use_3d], self.std_3d[self.use_3d]

    def unnormalise(self, targets: np.ndarray) -> np.ndarray:
        """Targets in millimetres.

        Args:
            targets: (N, 48).

        Returns:
            (N, 96); the unused entries are their means.
        """
        out = np.zeros((len(targets), 96))
        out[:, self.use_3d] = targets
        return out * self.std_3d + self.mean_3d

    def pose(self, targets: np.ndarray) -> np.ndarray:
        """Targets as poses.

        Args:
            targets: (N, 48).

        Returns:
            (N, 17, 3) millimetres, H36M-17 with the pelvis first.
        """
        used = np.concatenate([[0, 1, 2], self.use_3d])
        return self.unnormalise(np.asarray(targets, dtype=np.float64))[:, used].reshape(-1, 17, 3)

    def normalise_pose(self, poses: np.ndarray) -> np.ndarray:
        """Poses as targets.

        Args:
            poses: (N, 17, 3) H36M-17 in millimetres, in any camera's axes with y down.

        Returns:
            (N, 48), relative to the pelvis.
        """
        poses = np.asarray(poses, dtype=np.float64)
        mean, std = self.target
        return ((poses[:, 1:] - poses[:, :1]).reshape(-1, TARGET) - mean) / std

    def normalise_row(self, keypoints: np.ndarray) -> np.ndarray:
        """2D joints as a lifter's rows.

        Args:
            keypoints: (N, 17, 2 or more) COCO joints in pixels; scores are not looked at.

        Returns:
            (N, 32).
        """
        mean, std = self.row
        return (lifter_row(coco_to_h36(np.asarray(keypoints, dtype=np.float64)[..., :2])) - mean) / std

    @property
    def digest(self) -> str:
        """SHA-256 of the used numbers: tells whether labels and a model share their statistics.

        Returns:
            64 hexadecimal digits.
        """
        return hashlib.sha256(np.concatenate([*self.row, *self.target]).astype("<f4").tobytes()).hexdigest()


def statistics_of(keypoints: np.ndarray, poses: np.ndarray) -> PoseStatistics:
    """Statistics of the pairs that a lifter is trained on.

    Args:
        keypoints: (N, 17, 2 or more) COCO joints in pixels.
        poses: (N, 17, 3) H36M-17 joints in millimetres, y down.

    Returns:
        Means and standard deviations, of unused entries too.

    Raises:
        ValueError: Fewer than two pairs, or shapes that do not fit.
    """
    keypoints, poses = np.asarray(keypoints, dtype=np.float64), np.asarray(poses, dtype=np.float64)
    if len(keypoints) < 2 or keypoints.shape[1] != 17 or poses.shape != (len(keypoints), 17, 3):
        raise ValueError(
            f"pose statistics: keypoints {keypoints.shape} and poses {poses.shape}, expected at least two "
            "of (17, 2) and (17, 3)"
        )
    rows = lifter_row(coco_to_h36(keypoints[..., :2]))
    targets = (poses[:, 1:] - poses[:, :1]).reshape(-1, TARGET)
    slots = np.concatenate([_OF_32[[0, 1, 2, 3, 4, 5, 6, 7, 8]], _OF_32[10:]])  # the published file's own 16 slots
    use_2d = (2 * slots[:, None] + np.arange(2)).ravel()
    use_3d = (3 * _OF_32[1:, None] + np.arange(3)).ravel()
    arrays = [np.zeros(64), np.zeros(64), np.zeros(96), np.zeros(96)]
    moments = rows.mean(0), rows.std(0), targets.mean(0), targets.std(0)
    for array, use, values in zip(arrays, (use_2d, use_2d, use_3d, use_3d), moments, strict=True):
        array[use] = values
    for std, use in ((arrays[1], use_2d), (arrays[3], use_3d)):
        std[use] = np.maximum(std[use], 1e-3)  # a joint that never moves must not divide by zero
    return PoseStatistics(arrays[0], arrays[1], use_2d, arrays[2], arrays[3], use_3d)


def coco_to_h36(keypoints: np.ndarray) -> np.ndarray:
    """COCO as H36M-17 in the way the keypoint head does it: every column is averaged, no score counts.

    Args:
        keypoints: (..., 17, D).

    Returns:
        (..., 17, D).
    """
    return np.einsum("hc,...cd->...hd", COCO_TO_H36, np.asarray(keypoints, dtype=np.float64))


def coco_to_h36_present(keypoints: np.ndarray) -> np.ndarray:
    """COCO as H36M-17 for display: joints with score <= 0 are missing, and of a pair one is enough.

    Pelvis, thorax and head are the mean of their two sources or the one that is there, the spine likewise of pelvis and
    thorax; what nothing gives is zeros. A joint with one source is that joint, score and all.

    Args:
        keypoints: (N, 17, 3) x, y, score.

    Returns:
        (N, 17, 3) x, y, score.
    """
    keypoints = np.asarray(keypoints, dtype=np.float64)
    present = keypoints[..., 2:] > 0
    out = coco_to_h36(keypoints)

    def either(points: np.ndarray, there: np.ndarray) -> np.ndarray:
        count = there.sum(axis=-2)
        return np.where(count > 0, np.where(there, points, 0.0).sum(axis=-2) / np.maximum(count, 1), 0.0)

    for joint, parts in enumerate(_SOURCES):
        if len(parts) == 2:
            out[..., joint, :] = either(keypoints[..., parts, :], present[..., parts, :])
    ends = out[..., (0, 8), :]
    out[..., 7, :] = either(ends, ends[..., 2:] > 0)
    return out


def lifter_row(h36: np.ndarray) -> np.ndarray:
    """H36M-17 joints as a lifter's rows: x, y of all joints but the thorax.

    Args:
        h36: (..., 17, 2 or more) pixels.

    Returns:
        (..., 32) pixels.
    """
    return np.asarray(h36)[..., LIFTER_JOINTS, :2].reshape(*np.shape(h36)[:-2], ROW)


def kept_rows(rows: np.ndarray) -> np.ndarray:
    """Which rows training uses. An all-zero row means "none".

    The release asks the row's sum as a byte, so a valid row is dropped too where its sum lies in (-1, 1) or has an
    integer part that 256 divides.

    Args:
        rows: (N, 32).

    Returns:
        (N,) bool.
    """
    total = np.asarray(rows, dtype=np.float32).sum(axis=-1)
    return np.fmod(np.trunc(total), 256) != 0


def mirror_rows(rows: np.ndarray, statistics: PoseStatistics, width: float) -> np.ndarray:
    """Rows of a mirrored image; all-zero rows stay.

    Args:
        rows: (N, 32) normalised.
        statistics: What they are normalised with.
        width: Of the image, pixels.

    Returns:
        (N, 32).
    """
    mean, std = statistics.row
    points = (np.asarray(rows, dtype=np.float64) * std + mean).reshape(-1, 16, 2)[:, _ROW_FLIP]
    points[..., 0] = width - points[..., 0]
    return np.where((rows != 0).any(axis=-1, keepdims=True), (points.reshape(-1, ROW) - mean) / std, 0.0)


def mirror_targets(targets: np.ndarray, statistics: PoseStatistics) -> np.ndarray:
    """3D targets mirrored left to right; all-zero ones stay.

    Args:
        targets: (N, 48) normalised.
        statistics: What they are normalised with.

    Returns:
        (N, 48).
    """
    mean, std = statistics.target
    points = (np.asarray(targets, dtype=np.float64) * std + mean).reshape(-1, 16, 3)[:, _TARGET_FLIP]
    points[..., 0] *= -1
    return np.where((targets != 0).any(axis=-1, keepdims=True), (points.reshape(-1, TARGET) - mean) / std, 0.0)
