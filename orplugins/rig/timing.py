"""Whole frames by which the cameras' clocks differ, from how people move.

How much people move in one image rises and falls with how much they move in another, whatever the cameras' places: the
correlation over offsets gives candidates, and people's agreement with the epipolar geometry decides. What is left,
parts of a frame, is an unknown of the bundle adjustment.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orplugins.geometry.assignment import NO_MATCH
from orplugins.rig.observations import View
from orplugins.rig.pairs import candidates, totals
from orplugins.rig.selection import spaced

# A recording is a video where so many detections have the same person in the frames before and after, and people move
# so little between frames, as a share of their size.
_CONTINUED, _STEP = 0.5, 0.06
_LEAST_OVERLAP = 40  # frames
_FRAMES = 60  # that an offset is judged by


def is_video(views: Sequence[View]) -> bool:
    """Whether neighbouring frames show the same people: otherwise nothing can be said of clocks."""
    for view in views:
        if not len(view.frame) or view.moving.mean() < _CONTINUED:
            return False
        step = np.linalg.norm(view.speed, axis=-1)
        known = np.isfinite(step)
        if np.median(step[known] / np.repeat(view.size[:, None], 17, 1)[known]) > _STEP:
            return False
    return True


def activity(view: View, first: int, count: int) -> np.ndarray:
    """(count,) how fast people move in frames `first` .. on, as a share of their size; NaN where that is not known."""
    step = np.linalg.norm(view.speed, axis=-1)[view.moving]
    with np.errstate(all="ignore"):
        each = np.nanmean(step, axis=1) / view.size[view.moving]
    place = view.frame[view.moving] - first
    inside = (place >= 0) & (place < count) & np.isfinite(each)
    total = np.bincount(place[inside], each[inside], count)
    number = np.bincount(place[inside], minlength=count)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def likely_lags(first: View, second: View, most: int, wanted: int = 3) -> list[int]:
    """Offsets at which the motion in two views is most alike.

    Args:
        first: One camera.
        second: Another one.
        most: Largest offset, frames.
        wanted: Number of offsets besides 0.

    Returns:
        Frames to add to the first camera's numbers: 0, then the best first.
    """
    start = int(min(first.frame[0], second.frame[0]))
    count = int(max(first.frame[-1], second.frame[-1])) - start + 1
    if count > 1_000_000:
        return [0]
    one, two = (np.log(np.maximum(activity(view, start, count), 1e-4)) for view in (first, second))
    lags = np.arange(-most, most + 1)
    scores = np.full(len(lags), -np.inf)
    for k, lag in enumerate(lags.tolist()):
        a, b = one[max(0, -lag) : count - max(0, lag)], two[max(0, lag) : count - max(0, -lag)]
        both = np.isfinite(a) & np.isfinite(b)
        if both.sum() >= _LEAST_OVERLAP:
            x, y = a[both] - a[both].mean(), b[both] - b[both].mean()
            scores[k] = (x @ y) / max(float(np.sqrt((x @ x) * (y @ y))), 1e-12)
    found = [0]
    for k in np.argsort(-scores).tolist():
        if np.isfinite(scores[k]) and all(abs(lags[k] - other) > 2 for other in found) and len(found) <= wanted:
            found.append(int(lags[k]))
    return found


def best_lag(first: View, second: View, essential: np.ndarray, frames: np.ndarray, around: int, most: int) -> int:
    """The offset at which most people agree with an epipolar geometry.

    Args:
        first: One camera.
        second: Another one.
        essential: (3, 3), right enough that offsets can be told apart.
        frames: Of the first camera.
        around: The offset that is looked about.
        most: How far.

    Returns:
        Frames to add to the first camera's numbers.
    """
    frames = spaced(frames, _FRAMES)
    lags = range(around - most, around + most + 1)
    scores = []
    for lag in lags:
        pairs = candidates(first, second, frames, lag)
        scores.append(float(totals(essential[None], pairs)[0]) if len(pairs.first) else 0.0)
    return lags[int(np.argmax(scores))]


def lags_of_cameras(views: int, pairs: dict[tuple[int, int], tuple[int, float]]) -> list[int]:
    """Offset of each camera against the first one.

    Args:
        views: V.
        pairs: (a, b) -> offset of b against a, and its weight.

    Returns:
        (V,) frames; 0 for cameras that no pair joins.
    """
    if not pairs:
        return [0] * views
    matrix = np.zeros((len(pairs), views))
    for k, (a, b) in enumerate(pairs):
        matrix[k, a], matrix[k, b] = -1, 1
    lag = np.array([float(found) for found, _ in pairs.values()])
    weights = np.array([max(weight, 1 / NO_MATCH) for _, weight in pairs.values()])
    weight = weights
    solved = np.zeros(views)
    for _ in range(20):  # one wrong pair must not pull the others: least absolute differences
        scale = np.sqrt(weight)[:, None]
        solved = np.zeros(views)
        solved[1:] = np.linalg.lstsq(matrix[:, 1:] * scale, lag * scale[:, 0], rcond=None)[0]
        weight = weights / np.maximum(np.abs(matrix @ solved - lag), 0.5)
    return [round(value) for value in solved.tolist()]
