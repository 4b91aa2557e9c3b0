"""Which detections of several cameras are one person, when the cameras' poses are known about.

Pairs of detections whose joints meet are joined, the best ones first, as long as no camera gets two of them and no pair
in a group contradicts. Left and right may be exchanged in one of the images: what meets then is turned round.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orplugins.rig.bodies import bone_ratios
from orplugins.rig.observations import View
from orplugins.rig.pairs import Candidates, candidates
from orplugins.rig.points import intersect_two, relative_pose
from orplugins.skeletons import COCO_17

FLIP = list(COCO_17.flip_indices)
# Lengths of bones as shares of the usual ones that no person has.
_SHORTEST, _LONGEST = 0.45, 1.7
_NEAREST_M = 0.3
# Least agreement of a pair that starts or joins a group, and below which it contradicts; both between -1 and 1.
_LEAST, _WORST = 0.2, -0.15
# How much better exchanged sides have to agree.
_FLIP_GAIN = 0.25


@dataclass(frozen=True, eq=False)
class Groups:
    """P people whom two cameras see or more.

    Attributes:
        frame: (P,) number of the frame, by the first camera's clock.
        members: (P, V) detection of each view, -1 for none.
        flipped: (P, V) whether left and right are exchanged in that detection.
        score: (P,) agreement of its pairs, 0 to 1.
    """

    frame: np.ndarray
    members: np.ndarray
    flipped: np.ndarray
    score: np.ndarray

    def take(self, chosen: np.ndarray) -> Groups:
        """The groups of an index or mask."""
        return Groups(self.frame[chosen], self.members[chosen], self.flipped[chosen], self.score[chosen])

    def gathered(self, views: Sequence[View], name: str) -> np.ndarray:
        """(P, V, 17, ...) values of the views' attribute of that name; NaN where there is none, of the weights 0."""
        found = []
        for v, view in enumerate(views):
            values = getattr(view, name)
            none = np.full((1, *values.shape[1:]), 0.0 if name == "weight" else np.nan)
            rows = np.concatenate([values, none])[self.members[:, v]]
            found.append(np.where(self.flipped[:, v].reshape(-1, *(1,) * (rows.ndim - 1)), rows[:, FLIP], rows)
                         if rows.ndim > 1 else rows)  # fmt: skip
        return np.stack(found, 1)


def pair_agreement(pose: np.ndarray, pairs: Candidates, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """How much speaks for pairs of detections being one person, in three dimensions.

    Args:
        pose: (3, 4) [R | t], first to second camera, metres.
        pairs: P pairs.
        tolerance: Distance from the reprojection at which a joint says nothing, as a share of the person's size.

    Returns:
        (P,) between -1 and 1, and (P,) whether that holds with left and right exchanged in the second view.
    """
    plain, turned = (_one_way(pose, pairs, flipped, tolerance) for flipped in (False, True))
    better = turned > plain + _FLIP_GAIN
    return np.where(better, turned, plain), better


def _one_way(pose: np.ndarray, pairs: Candidates, flipped: bool, tolerance: float) -> np.ndarray:
    a, b, weight = pairs.a, pairs.b, pairs.weight
    if flipped:
        b, other = b[:, FLIP], weight[:, FLIP]
        weight = np.where((weight > 0) & (other > 0), (weight + other) / 2, 0.0)
    points, depth = intersect_two(pose, a, b)
    there = points @ pose[:, :3].T + pose[:, 3]
    errors = []
    for local, rays in ((points, a), (there, b)):
        with np.errstate(divide="ignore", invalid="ignore"):
            errors.append(np.linalg.norm(local[..., :2] / local[..., 2:] - rays, axis=-1))
    error = np.where((depth > _NEAREST_M).all(-1), np.nan_to_num(sum(errors) / 2, nan=np.inf), np.inf)
    term = np.clip(1 - error / (tolerance * pairs.size[:, None]), -1, 1)
    total = (weight * term).sum(1) / np.maximum(weight.sum(1), 1e-9)
    ratio = bone_ratios(np.where((weight > 0)[..., None], points, np.nan))
    known = np.isfinite(ratio)
    with np.errstate(invalid="ignore"):
        odd = (known & ((ratio < _SHORTEST) | (ratio > _LONGEST))).sum(1) / np.maximum(known.sum(1), 1)
    return np.where(weight.any(1), total * np.minimum((weight > 0).sum(1) / 10, 1) - odd, -1.0)


def group(
    views: Sequence[View],
    poses: np.ndarray,
    frames: np.ndarray,
    tolerance: float,
    lags: Sequence[int] | None = None,
) -> Groups:
    """Find the people of frames.

    Args:
        views: V views.
        poses: (V, 3, 4) world to camera, metres.
        frames: Numbers of the frames, by the first camera's clock.
        tolerance: See `pair_agreement`.
        lags: (V,) frames that are added to the numbers for each view; None: 0.

    Returns:
        People whom two views see.
    """
    lags = lags or [0] * len(views)
    edges: dict[int, list] = {}
    values: dict[tuple, tuple[float, bool]] = {}
    for a, b in itertools.combinations(range(len(views)), 2):
        pairs = candidates(views[a], views[b], np.asarray(frames) + lags[a], lags[b] - lags[a])
        if not len(pairs.first):
            continue
        score, turned = pair_agreement(relative_pose(poses[a], poses[b]), pairs, tolerance)
        for i, j, slot, s, t in zip(
            *(x.tolist() for x in (pairs.first, pairs.second, pairs.slot, score, turned)), strict=True
        ):
            values[(a, i), (b, j)] = s, t
            if s > _LEAST:
                edges.setdefault(slot, []).append((s, (a, i), (b, j)))
    found = []
    for slot in sorted(edges):
        for members in _joined(sorted(edges[slot], reverse=True), values):
            row, flip = np.full(len(views), -1), np.zeros(len(views), dtype=bool)
            inside = [values[p] for p in itertools.combinations(members, 2) if p in values]
            for k, (v, i) in enumerate(members):
                row[v] = i
                flip[v] = k > 0 and values.get((members[0], members[k]), (0.0, False))[1]
            found.append((int(np.asarray(frames)[slot]), row, flip, float(np.mean([s for s, _ in inside]))))
    if not found:
        none = np.zeros((0, len(views)))
        return Groups(np.zeros(0, np.int64), none.astype(np.int64), none.astype(bool), np.zeros(0))
    frame, members, flipped, score = zip(*found, strict=True)
    return Groups(np.array(frame), np.array(members), np.array(flipped), np.clip(score, 0, 1))


def _joined(edges: list, values: dict) -> list[list]:
    """Groups of (view, detection), sorted by view."""
    owner: dict = {}
    for _, one, two in edges:
        left, right = owner.get(one, [one]), owner.get(two, [two])
        if left is right or {v for v, _ in left} & {v for v, _ in right}:
            continue
        between = [values[min(p, q), max(p, q)][0] for p in left for q in right if (min(p, q), max(p, q)) in values]
        if min(between) < _WORST:
            continue
        both = sorted([*left, *right])
        for node in both:
            owner[node] = both
    return [list(g) for g in {id(g): g for g in owner.values()}.values()]
