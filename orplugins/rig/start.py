"""A first rig from pairs of cameras: poses chained along the pairs that people agree with most."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from orplugins.rig.essential import essential_of
from orplugins.rig.pairs import Candidates, PairPose, totals
from orplugins.rig.points import chained, inverted, relative_pose

Pair = tuple[int, int]
# All trees are tried up to so many cameras; beyond, the one with the highest scores.
_EVERY_TREE = 4


def first_rig(views: int, found: Mapping[Pair, PairPose], pairs: Mapping[Pair, Candidates]) -> np.ndarray | None:
    """Poses of all cameras in the first one's world.

    Args:
        views: V.
        found: Poses of pairs (a, b), a < b.
        pairs: Their detections: of the trees that join all cameras, the one is taken that agrees with most people over
            all pairs, those outside of the tree too.

    Returns:
        (V, 3, 4) world to camera, metres; None where no pair joins some camera with the others.
    """
    best, most = None, -1.0
    for tree in _trees(views, found):
        poses = _chain(views, tree, found)
        score = sum(
            float(totals(essential_of(relative_pose(poses[a], poses[b]))[None], pairs[a, b])[0]) for a, b in pairs
        )
        if score > most:
            best, most = poses, score
    return best


def _trees(views: int, found: Mapping[Pair, PairPose]) -> list[list[Pair]]:
    edges = sorted(found, key=lambda pair: -found[pair].score)
    if views <= _EVERY_TREE:
        return [list(t) for t in itertools.combinations(edges, views - 1) if len(_reached(t)) == views]
    tree: list[Pair] = []
    parts = {v: {v} for v in range(views)}
    for a, b in edges:
        if parts[a] is not parts[b]:
            tree.append((a, b))
            both = parts[a] | parts[b]
            parts |= {v: both for v in both}
    return [tree] if len(tree) == views - 1 else []


def _reached(tree: Sequence[Pair]) -> set[int]:
    """Cameras that are joined with the first one."""
    inside = {0}
    for _ in tree:
        for a, b in tree:
            if a in inside or b in inside:
                inside |= {a, b}
    return inside


def _chain(views: int, tree: Sequence[Pair], found: Mapping[Pair, PairPose]) -> np.ndarray:
    poses = np.zeros((views, 3, 4))
    poses[0] = np.eye(4)[:3]
    done = {0}
    while len(done) < views:
        for a, b in tree:
            if a in done and b not in done:
                poses[b] = chained(poses[a], found[a, b].pose)
                done.add(b)
            elif b in done and a not in done:
                poses[a] = chained(poses[b], inverted(found[a, b].pose))
                done.add(a)
    return poses
