"""Whether 3D people have the size of people: a wrong unit, lens or image size shows as giants or dwarfs."""

from __future__ import annotations

import numpy as np

from orplugins.skeletons import ITOP_15

# Adults' middle bone lengths in metres, joint centre to joint centre (Winter, Biomechanics and Motor Control of Human
# Movement, table 4.1, at 1.72 m), and what no person exceeds.
BONES = {
    ("left_shoulder", "left_elbow"): (0.30, 0.48),
    ("right_shoulder", "right_elbow"): (0.30, 0.48),
    ("left_elbow", "left_hand"): (0.25, 0.42),
    ("right_elbow", "right_hand"): (0.25, 0.42),
    ("left_hip", "left_knee"): (0.42, 0.65),
    ("right_hip", "right_knee"): (0.42, 0.65),
    ("left_knee", "left_foot"): (0.42, 0.65),
    ("right_knee", "right_foot"): (0.42, 0.65),
    ("neck", "left_shoulder"): (0.19, 0.38),
    ("neck", "right_shoulder"): (0.19, 0.38),
    ("neck", "head"): (0.22, 0.45),
    ("neck", "torso"): (0.30, 0.60),
}
_PAIRS = np.array([[ITOP_15.index(a), ITOP_15.index(b)] for a, b in BONES])
_MIDDLE, _MOST = np.array(list(BONES.values())).T
POSSIBLE = (0.55, 1.6)  # factors by which a room's people may differ, children and errors of depth included
_LEAST_BONES = 4
_MOST_ALONG = 0.6  # of a bone's length


def body_scale(points: np.ndarray, seen: np.ndarray) -> float | None:
    """Size of people against adults.

    Args:
        points: (M, 15, 3) ITOP-15, metres.
        seen: (M, 15) joints that are there and not hidden.

    Returns:
        Median over bones of length / middle length, of those that lie across the line of sight: along it an error of
        depth makes the length. None with fewer than four of them.
    """
    lengths, there = _lengths(points, seen)
    along = np.abs(points[:, _PAIRS[:, 0], 2] - points[:, _PAIRS[:, 1], 2])
    across = there & (along <= _MOST_ALONG * lengths)
    return float(np.median((lengths / _MIDDLE)[across])) if across.sum() >= _LEAST_BONES else None


def contradicted(points: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Joints at which the depth contradicts the body: every bone at them is longer than anybody's.

    Args:
        points: (M, 15, 3) ITOP-15, metres.
        valid: (M, 15).

    Returns:
        (M, 15) bool.
    """
    lengths, there = _lengths(points, valid)
    bones, broken = np.zeros(valid.shape), np.zeros(valid.shape)
    for k, (a, b) in enumerate(_PAIRS):
        for joint in (a, b):
            bones[:, joint] += there[:, k]
            broken[:, joint] += there[:, k] & (lengths[:, k] > _MOST[k])
    return (bones > 0) & (broken == bones)


def _lengths(points: np.ndarray, there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ends = points[:, _PAIRS]
    return np.linalg.norm(ends[:, :, 0] - ends[:, :, 1], axis=-1), np.asarray(there[:, _PAIRS].all(-1))
