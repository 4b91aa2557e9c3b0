"""How well two cameras agree about people: the same for those of one moment, and for those of different moments."""

from __future__ import annotations

import numpy as np

from orplugins.rig.groups import pair_agreement
from orplugins.rig.observations import View
from orplugins.rig.pairs import candidates, mutual
from orplugins.rig.points import relative_pose
from orplugins.rig.selection import people_per_frame

TOLERANCE = 0.05


def pair_total(
    first: View,
    second: View,
    poses: np.ndarray,
    frames: np.ndarray,
    tolerance: float = TOLERANCE,
    lags: tuple[int, int] = (0, 0),
    shift: int = 0,
) -> float:
    """Agreement of two cameras, in people.

    Args:
        first: One camera.
        second: Another camera.
        poses: (2, 3, 4) world to camera, metres.
        frames: That are looked at.
        tolerance: See `orplugins.rig.groups.pair_agreement`.
        lags: Frames that are added to the numbers for each view.
        shift: Places in the list of frames by which the second camera is moved: people of different moments.

    Returns:
        The sum over people that both see.
    """
    pairs = candidates(
        _on_places(first, frames + lags[0], 0), _on_places(second, frames + lags[1], shift), np.arange(len(frames))
    )
    if not len(pairs.first):
        return 0.0
    scores = pair_agreement(relative_pose(*poses), pairs, tolerance)[0]
    return float(np.where(mutual(scores[None], pairs)[0], scores, 0.0).sum())


def pair_health(first: View, second: View, poses: np.ndarray, frames: np.ndarray) -> float:
    """Agreement of two cameras as a share of what they could agree about, the fewer people of each frame's."""
    possible = people_per_frame([first, second], frames, [0, 0]).min(1).sum()
    return pair_total(first, second, poses, frames) / possible if possible else 0.0


def _on_places(view: View, frames: np.ndarray, shift: int) -> View:
    """A view with the places in a list of frames for frame numbers, moved round by a shift."""
    place = np.searchsorted(frames, view.frame)
    inside = np.flatnonzero(frames[np.minimum(place, len(frames) - 1)] == view.frame)
    number = (place[inside] - shift) % len(frames)
    order = np.argsort(number, kind="stable")
    rows = inside[order]
    parts = (getattr(view, name)[rows] for name in ("rays", "weight", "size", "speed", "moving"))
    return View(view.camera, number[order], *parts)
