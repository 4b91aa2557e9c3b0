"""Where up is, and where the floor: from people who stand on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orplugins.rig.bodies import STATURE_M

_SHOULDERS, _HIPS, _ANKLES = (5, 6), (11, 12), (15, 16)
# Height of an ankle joint over the floor, and of the shoulders of somebody who stands (Winter 2009, table 4.1).
ANKLE_M, SHOULDER_M = 0.09, 0.80 * STATURE_M
_LEAN_DEGREES = 15.0  # usual lean of a trunk; who lies or bends further has little weight
_HABIT_DEGREES = 3.0  # people lean to one side together, towards what they work at
_LEAST_ANKLES, _LEAST_REACH_M = 20, 0.8
_STEP_M = 0.08  # ankles higher above the others than this are in the air


@dataclass(frozen=True, eq=False)
class Floor:
    """The room's vertical and floor.

    Attributes:
        up: (3,) unit vector in the cameras' world.
        up_degrees: Its uncertainty, one standard deviation.
        height: Of the floor along `up`, metres.
        height_m: Its uncertainty.
        source: What it was found from.
    """

    up: np.ndarray
    up_degrees: float
    height: float
    height_m: float
    source: str


def find_floor(points: np.ndarray, blocks: np.ndarray, up: np.ndarray | None = None) -> Floor:
    """Find the vertical and the floor.

    Args:
        points: (P, 17, 3) people, metres, NaN where missing.
        blocks: (P,) number of the stretch of the recording: people of one stretch are taken to be one sample.
        up: (3,) the vertical, where it is known.

    Returns:
        Vertical, floor and their uncertainties.

    Raises:
        ValueError: Too few people whose trunk or legs are seen, and `up` is not known.
    """
    known, source, spread = up is not None, "as given", 0.0
    if up is None:
        up, spread = _from_trunks(points, blocks)
        source = "from people's trunks"
    up = np.asarray(up, dtype=np.float64) / np.linalg.norm(up)
    ankles, owner = _ankles(points, blocks)
    if len(ankles):
        height = ankles @ up
        low = height < np.median(height) + _STEP_M
        flat = ankles[low] - np.outer(ankles[low] @ up, up)
        reach = np.sqrt(np.linalg.eigvalsh(np.cov(flat.T))[1]) if low.sum() > 2 else 0.0
        if not known and low.sum() >= _LEAST_ANKLES and reach > _LEAST_REACH_M / 2:
            up, spread, low = _plane(ankles, owner, up)
            source = "from feet on the floor"
        height = ankles[low] @ up
        many = max(len(np.unique(owner[low])), 1)
        floor = float(np.median(height)) - ANKLE_M
        return Floor(up, spread, floor, float(np.hypot(0.02, np.std(height) / np.sqrt(many))), source)
    shoulders = points[:, list(_SHOULDERS)].mean(1) @ up
    shoulders = shoulders[np.isfinite(shoulders)]
    floor = (float(np.median(shoulders)) if len(shoulders) else 0.0) - SHOULDER_M
    return Floor(up, spread, floor, 0.10, f"{source}; no ankle is seen: floor {SHOULDER_M:.2f} m below the shoulders")


def _from_trunks(points: np.ndarray, blocks: np.ndarray) -> tuple[np.ndarray, float]:
    """The direction about which trunks and legs gather, and its uncertainty in degrees."""
    rows, owner = [], []
    for low, high in ((_HIPS, _SHOULDERS), (_ANKLES, _HIPS)):
        along = points[:, list(high)].mean(1) - points[:, list(low)].mean(1)
        fine = np.isfinite(along).all(1)
        rows.append(along[fine])
        owner.append(blocks[fine])
    along, owned = np.concatenate(rows), np.concatenate(owner)
    if len(along) < 6:
        raise ValueError(
            f"{len(along)} trunks and legs are seen, expected 6 or more to find the vertical: say it (--up)"
        )
    unit = along / np.linalg.norm(along, axis=1, keepdims=True)
    # Who lies must not pull the start: the direction with the most neighbours.
    close = (unit @ unit.T > np.cos(np.radians(_LEAN_DEGREES))).sum(1)
    up = unit[close.argmax()]
    weight = np.ones(len(unit))
    for _ in range(30):
        angle = np.degrees(np.arccos(np.clip(unit @ up, -1, 1)))
        weight = np.exp(-0.5 * (angle / _LEAN_DEGREES) ** 2)
        up = (weight[:, None] * unit).sum(0)
        up /= np.linalg.norm(up)
    away = unit - np.outer(unit @ up, up)
    sums = np.array([(weight[owned == b, None] * away[owned == b]).sum(0) for b in np.unique(owned)])
    return up, float(np.hypot(np.degrees(np.sqrt((sums**2).sum()) / weight.sum()), _HABIT_DEGREES))


def _ankles(points: np.ndarray, blocks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ankles = points[:, list(_ANKLES)]
    fine = np.isfinite(ankles).all(-1)
    return ankles[fine], np.repeat(blocks[:, None], 2, 1)[fine]


def _plane(ankles: np.ndarray, owner: np.ndarray, up: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
    """The plane of the lower ankles, no further than a step's height from it; its normal near `up`."""
    low = np.ones(len(ankles), dtype=bool)
    normal = up
    for _ in range(10):
        height = ankles @ normal
        low = np.abs(height - np.median(height[low])) < _STEP_M
        if low.sum() < _LEAST_ANKLES:
            return up, 5.0, height < np.median(height) + _STEP_M
        middle = ankles[low].mean(0)
        values, vectors = np.linalg.eigh(np.cov((ankles[low] - middle).T))
        normal = vectors[:, 0] * np.sign(vectors[:, 0] @ up)
        if normal @ up < np.cos(np.radians(12)):
            return up, 5.0, height < np.median(height) + _STEP_M
    many = max(len(np.unique(owner[low])), 1)
    return normal, float(np.degrees(np.sqrt(values[0] / max(values[1], 1e-9) / many))), low


def room_axes(up: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """(3, 3) rotation from the cameras' world into a room with z up and x along a direction, made level.

    Args:
        up: (3,) the vertical.
        ahead: (3,) any direction that is not vertical.
    """
    z = up / np.linalg.norm(up)
    x = ahead - (ahead @ z) * z
    if np.linalg.norm(x) < 1e-3:
        x = np.cross(z, (0.0, 0.0, 1.0) if abs(z[2]) < 0.9 else (1.0, 0.0, 0.0))
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(z, x), z])
