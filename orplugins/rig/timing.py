"""Whole frames by which the cameras' clocks differ, from how people move.

How much people move in one image rises and falls with how much they move in another, whatever the cameras' places: the
correlation over offsets gives candidates, and people's agreement with the epipolar geometry decides. When people and
cameras are known, their distances from the epipolar lines over small offsets are a parabola: its lowest point is the
offset, to parts of a frame. (As an unknown of the bundle adjustment, times people's speeds, it would be drawn towards
zero: what detectors err is in the speeds as well, and people at work are slow.)
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from orplugins.geometry.assignment import NO_MATCH
from orplugins.geometry.rotations import from_vector
from orplugins.rig.essential import essential_of, sampson
from orplugins.rig.groups import FLIP, Groups
from orplugins.rig.observations import View, neighbours
from orplugins.rig.pairs import candidates, totals
from orplugins.rig.points import relative_pose
from orplugins.rig.selection import spaced

# A recording is a video where so many detections have the same person in the frames before and after, and people move
# so little between frames, as a share of their size.
_CONTINUED, _STEP = 0.5, 0.06
_LEAST_OVERLAP = 40  # frames
_FRAMES = 60  # that an offset is judged by
_AROUND, _WINDOW = 6, 3  # offsets about the present one, and those about the lowest that its parabola is laid through
_SIGMA = 0.02  # of a joint's distance from its epipolar line, as a share of people's size: further ones count less


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
    most = min(most, count - _LEAST_OVERLAP)  # of a short recording nothing is left beyond
    if most < 1:
        return [0]
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


def fine_offsets(
    views: Sequence[View], groups: Groups, poses: np.ndarray, blocks: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Offsets that are left between clocks when people and cameras are known.

    Args:
        views: V views.
        groups: P people, found with whole offsets.
        poses: (V, 3, 4) world to camera.
        blocks: (P,) independent stretch of the recording of each person.

    Returns:
        (V,) frames by which each camera's detection should be later than it is, 0 for the first; and one standard
        deviation of them, from leaving out each stretch in turn. Infinite where nothing can be said.
    """
    names, place = np.unique(blocks, return_inverse=True)
    chains = [_chain(view, groups.members[:, v]) for v, view in enumerate(views)]
    costs, pairs = [], list(itertools.combinations(range(len(views)), 2))
    for a, b in pairs:
        cost = _costs(views, groups, poses, chains, a, b)
        costs.append(np.stack([np.bincount(place, column, len(names)) for column in cost.T], 1))
    every = _solved(len(views), pairs, costs, np.ones(len(names)))
    if len(names) < 4:
        return every, np.where(np.arange(len(views)) > 0, np.inf, 0.0)
    left = []
    for k in range(len(names)):
        keep = np.ones(len(names))
        keep[k] = 0.0
        left.append(_solved(len(views), pairs, costs, keep))
    spread = np.sqrt((len(names) - 1) * np.var(left, axis=0))
    return every, spread


def _chain(view: View, members: np.ndarray) -> np.ndarray:
    """(P, 2 A + 1) the same person's detection some frames earlier and later, -1 where there is none."""
    out = np.full((len(members), 2 * _AROUND + 1), -1)
    out[:, _AROUND] = members
    frame = np.append(view.frame, -(10**12))
    for direction in (-1, 1):
        link = np.append(neighbours(view.frame, view.rays, view.size, direction), -1)
        place, wanted = members.copy(), frame[members]
        for step in range(1, _AROUND + 1):
            place = link[place]
            # A frame that is missing leaves a gap, and the steps after it stay where they belong.
            gone = frame[place] != wanted + direction * step
            out[:, _AROUND + direction * step] = np.where(gone | (members < 0), -1, place)
    return out


def _costs(views, groups: Groups, poses: np.ndarray, chains, a: int, b: int) -> np.ndarray:
    """(P, 2 A + 1) how far a pair's people are from their epipolar lines, over offsets, at the best pose for each.

    Cameras that were found at a wrong offset have taken part of it into their poses: what a small change of the pose
    explains is taken out of the distances, for every offset anew.
    """
    pose = relative_pose(poses[a], poses[b])
    people, columns = np.arange(len(groups.frame)), 2 * _AROUND + 1
    rows, owner, slopes = [], [], []
    # The second camera later by s, and as well the first one earlier by s: both are used, for symmetry.
    for moving, still, sign in ((b, a, 1), (a, b, -1)):
        fixed, seen = _rays(views[still], groups.members[:, still], groups.flipped[:, still])
        shown = []
        for column in range(columns):
            rays, there = _rays(
                views[moving], chains[moving][:, _AROUND + sign * (column - _AROUND)], groups.flipped[:, moving]
            )
            shown.append((fixed, rays) if still == a else (rays, fixed))
            seen = seen & there  # the same joints for all offsets: others would make one of them look better
        size = np.repeat(views[still].size[groups.members[:, still]][:, None], 17, 1)[seen] * _SIGMA
        rows.append(np.stack([_signed(pose, first[seen], second[seen]) / size for first, second in shown], 1))
        first, second = (side[seen] for side in shown[_AROUND])
        slopes.append(np.stack([(_signed(_changed(pose, k, 1e-4), first, second)
                                 - _signed(_changed(pose, k, -1e-4), first, second)) / size
                                for k in range(6)], 1))  # fmt: skip
        owner.append(np.repeat(people[:, None], 17, 1)[seen])
    distance, slope, who = np.concatenate(rows), np.concatenate(slopes), np.concatenate(owner)
    # Cauchy's weights, by each joint's best offset: those of the present offset would speak for that one.
    root = np.sqrt(1 / (1 + (distance**2).min(1, keepdims=True, initial=np.inf)))
    distance, slope = root * distance, root * slope
    if len(distance) > 12:
        distance = distance - slope @ np.linalg.lstsq(slope, distance, rcond=1e-6)[0]
    # A step to a neighbour of another person is far off: it counts as far, and no more.
    return np.stack([np.bincount(who, np.log1p(column**2), len(people)) for column in distance.T], 1)


def _signed(pose: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(N,) distances from the epipolar geometry of a (3, 4) pose, with their signs."""
    essential = essential_of(pose)
    side = np.einsum("ni,ij,nj->n", np.pad(second, ((0, 0), (0, 1)), constant_values=1.0), essential,
                     np.pad(first, ((0, 0), (0, 1)), constant_values=1.0))  # fmt: skip
    return np.sign(side) * sampson(essential[None], first, second)[0]


def _changed(pose: np.ndarray, number: int, step: float) -> np.ndarray:
    """A pose turned (0 to 2) or shifted (3 to 5) a little."""
    change = step * np.eye(3)[number % 3]
    if number > 2:
        return np.column_stack([pose[:, :3], pose[:, 3] + change * np.linalg.norm(pose[:, 3])])
    return from_vector(change) @ pose


def _rays(view: View, rows: np.ndarray, flipped: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rays, seen = view.rays[rows], (view.weight[rows] > 0) & (rows >= 0)[:, None]
    rays = np.where(flipped[:, None, None], rays[:, FLIP], rays)
    seen = np.where(flipped[:, None], seen[:, FLIP], seen)
    return np.where(seen[..., None], rays, 0.0), seen


def _solved(count: int, pairs: Sequence[tuple[int, int]], costs: Sequence[np.ndarray], keep: np.ndarray) -> np.ndarray:
    """(V,) offsets from parabolas of all pairs, each weighted by how narrow it is."""
    rows, right, weight = [], [], []
    for (a, b), cost in zip(pairs, costs, strict=True):
        sums = keep @ cost
        others = np.where(np.arange(len(sums)) == _AROUND, np.mean(sums[[_AROUND - 1, _AROUND + 1]]), sums)
        middle = int(np.clip(others.argmin(), _WINDOW, len(sums) - 1 - _WINDOW))
        at = np.arange(middle - _WINDOW, middle + _WINDOW + 1)
        # People were matched at the present offset, the others are reached by steps, some of which are wrong.
        at = at[at != _AROUND]
        bend, slope, _ = np.polyfit(at - middle, sums[at], 2)
        if bend <= 0:
            continue
        row = np.zeros(count)
        row[a], row[b] = -1, 1
        rows.append(row)
        right.append(middle - _AROUND + float(np.clip(-slope / (2 * bend), -_WINDOW, _WINDOW)))
        weight.append(np.sqrt(bend))
    out = np.zeros(count)
    if rows:
        scale = np.array(weight)[:, None]
        out[1:] = np.linalg.lstsq(np.array(rows)[:, 1:] * scale, np.array(right) * scale[:, 0], rcond=None)[0]
    return out
