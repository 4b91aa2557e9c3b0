"""Which frames and people are used: enough for the cameras, few enough for minutes of computing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orplugins.rig.groups import Groups
from orplugins.rig.observations import View

_CELL_M = 0.5
_STRETCHES = 30


def common_frames(views: Sequence[View], lags: Sequence[int] | None = None) -> np.ndarray:
    """Frames, by the first clock, in which two views or more have people."""
    lags = lags or [0] * len(views)
    every = np.concatenate([np.unique(view.frame) - lag for view, lag in zip(views, lags, strict=True)])
    frames, count = np.unique(every, return_counts=True)
    return frames[count >= 2]


def spaced(frames: np.ndarray, most: int) -> np.ndarray:
    """At most so many frames, evenly spaced in their order."""
    if len(frames) <= most:
        return frames
    return frames[np.linspace(0, len(frames) - 1, most).round().astype(int)]


def spread_out(groups: Groups, places: np.ndarray, most: int) -> np.ndarray:
    """People for the adjustment: spread over the room first, seen by many cameras next.

    Who works at the table is in every frame: a hundred of him say little more than ten, and far less than somebody at
    the door, once.

    Args:
        groups: All people.
        places: (P, 3) where they are, metres; NaN where that is not known.
        most: Number.

    Returns:
        Indices, rising.
    """
    if len(groups.frame) <= most:
        return np.arange(len(groups.frame))
    value = (groups.members >= 0).sum(1) + groups.score
    cell = np.unique(np.floor(np.nan_to_num(places) / _CELL_M).astype(np.int64), axis=0, return_inverse=True)[1].ravel()
    # Of each cell the best of every stretch of the recording come first.
    stretch = np.arange(len(groups.frame)) * _STRETCHES // len(groups.frame)
    rank = np.empty(len(cell), dtype=np.int64)
    for name in np.unique(cell):
        inside = np.flatnonzero(cell == name)
        order = np.lexsort((-value[inside], _rank_within(stretch[inside], -value[inside])))
        rank[inside[order]] = np.arange(len(inside))
    return np.sort(np.argsort(rank, kind="stable")[:most])


def _rank_within(names: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """Place of each row among those of its name, by rising cost."""
    order = np.lexsort((cost, names))
    first = np.r_[True, np.diff(names[order]) > 0]
    start = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order)) - start
    return rank


def quietest(views: Sequence[View], frames: np.ndarray, lags: Sequence[int], most: int) -> np.ndarray:
    """Frames for the start: of each stretch of the recording the one in which fewest pairs of people are possible.

    Args:
        views: V views.
        frames: By the first clock.
        lags: (V,) frames that are added for each view.
        most: Number of stretches.

    Returns:
        Frames, rising.
    """
    if len(frames) <= most:
        return frames
    counts = people_per_frame(views, frames, lags)
    # Chance of a right pair falls with the number of people; nobody in some view is of no use for that view.
    cost = counts.prod(1) + 1000 * (counts == 0).sum(1)
    stretch = np.arange(len(frames)) * most // len(frames)
    order = np.lexsort((cost, stretch))
    return np.sort(frames[order[np.r_[True, np.diff(stretch[order]) > 0]]])


def people_per_frame(views: Sequence[View], frames: np.ndarray, lags: Sequence[int]) -> np.ndarray:
    """(F, V) numbers of detections in each of the frames.

    Args:
        views: V views.
        frames: By the first clock.
        lags: (V,) frames that are added for each view.
    """
    counts = []
    for view, lag in zip(views, lags, strict=True):
        wanted = frames + lag
        counts.append(np.searchsorted(view.frame, wanted, "right") - np.searchsorted(view.frame, wanted))
    return np.stack(counts, 1)
