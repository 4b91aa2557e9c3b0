"""Where the metre comes from: a known distance, depth images, people's known height, or usual bodies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orplugins.rig.bodies import STATURE_M, body_size
from orplugins.rig.groups import FLIP as _FLIP
from orplugins.rig.observations import View
from orplugins.rig.settings import Knowledge
from orplugins.rig.solve import Solved

# People of one theatre differ from the usual height by so much (share, one standard deviation of a small team's mean),
# and 2D estimators place joints otherwise than the usual lengths suppose by so much.
_TEAM, _JOINTS = 0.025, 0.02
_LEAST_DEPTHS = 30


@dataclass(frozen=True)
class Scale:
    """The metre.

    Attributes:
        factor: By which the solved world is to be made larger.
        spread: Its uncertainty, as a share.
        source: Where it comes from.
        bodies: People's size with it, as a share of the usual one; NaN where too few bones are seen.
    """

    factor: float
    spread: float
    source: str
    bodies: float


def find_scale(solved: Solved, views: Sequence[View], known: Knowledge) -> Scale:
    """Find the scale from the best of what is known.

    Args:
        solved: Cameras and people at any scale.
        views: Detections, with depths where there are depth images.
        known: What the user knows.

    Returns:
        The scale.

    Raises:
        ValueError: No scale at all: too few bones are seen, and nothing is known.
    """
    size, bones = body_size(solved.points)
    if known.distance is not None:
        a, b, metres = known.distance
        found = float(np.linalg.norm(solved.cameras.place[a] - solved.cameras.place[b]))
        return _scale(metres / max(found, 1e-9), 0.005, f"known distance of two cameras, {metres:g} m", size)
    depth = _from_depth(solved, views)
    if depth is not None:
        return _scale(*depth, size)
    if not np.isfinite(size):
        raise ValueError(
            "the scale cannot be told: too few arms, trunks and legs are seen by two cameras; expected a known "
            "distance of two cameras (--distance)"
        )
    stature = known.stature_m or STATURE_M
    spread = _JOINTS if known.stature_m else float(np.hypot(_TEAM, _JOINTS))
    whose = f"people's mean height of {stature:g} m" if known.stature_m else f"people of usual size ({STATURE_M:g} m)"
    return _scale(stature / STATURE_M / size, spread, f"{whose}, {bones} bones", size)


def _scale(factor: float, spread: float, source: str, size: float) -> Scale:
    return Scale(factor, spread, source, size * factor)


def _from_depth(solved: Solved, views: Sequence[View]) -> tuple[float, float, str] | None:
    """Median of measured over solved depths of joints that are seen."""
    ratios = []
    for v, view in enumerate(views):
        if view.depth is None:
            continue
        member = solved.groups.members[:, v]
        rows = member >= 0
        measured = np.where(
            solved.groups.flipped[rows, v, None], view.depth[member[rows]][:, _FLIP], view.depth[member[rows]]
        )
        local = (solved.points[rows] - solved.cameras.place[v]) @ solved.cameras.rotation[v].T
        share = measured / local[..., 2]
        ratios.append(share[np.isfinite(share) & (solved.seen.weight[rows, v] > 0)])
    if not ratios or sum(map(len, ratios)) < _LEAST_DEPTHS:
        return None
    every = np.concatenate(ratios)
    middle = float(np.median(every))
    # Joints that something hides read too near or too far: the densest part of the ratios counts.
    for _ in range(10):
        near = every[np.abs(every / middle - 1) < 0.12]
        middle = float(np.median(near)) if len(near) else middle
    spread = (
        1.4826 * float(np.median(np.abs(near / middle - 1))) / np.sqrt(max(len(near) / 17, 1)) if len(near) else 1.0
    )
    return middle, float(np.hypot(spread, 0.01)), f"depth images, {len(near)} joints"
