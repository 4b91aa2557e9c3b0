"""Joining the pieces of people whose neck is not seen.

Trunk limbs all start at the neck, so without it arms, legs and face stay apart: one person is counted several times. Here
pieces are joined where the distances between them are those of a body of the pieces' own size.
"""

from __future__ import annotations

import numpy as np

from orplugins.core.paf.layout import LIMBS, NUM_JOINTS
from orplugins.core.skeletons import OPENPOSE_18

_NECK = OPENPOSE_18.index("neck")
# Usual lengths in body heights. They need not be exact: a link may be _REACH times as long.
_LENGTHS = {("shoulder", "elbow"): 0.17, ("elbow", "wrist"): 0.15, ("hip", "knee"): 0.24, ("knee", "ankle"): 0.24}
_LINKS = {("hip", "shoulder"): 0.30, ("nose", "shoulder"): 0.15, ("ear", "shoulder"): 0.15, ("eye", "shoulder"): 0.16,
          ("shoulder", "shoulder"): 0.24, ("hip", "hip"): 0.16}  # fmt: skip
_REACH = 1.3
# Below this many joints a piece says too little about its size.
_SMALLEST = 3


def _table(lengths: dict[tuple[str, str], float]) -> np.ndarray:
    """(18, 18) lengths between joints by their names without the side; infinite where there is no entry."""
    table = np.full((NUM_JOINTS, NUM_JOINTS), np.inf)
    names = [joint.removeprefix("left_").removeprefix("right_") for joint in OPENPOSE_18.joints]
    for i, a in enumerate(names):
        for j, b in enumerate(names):
            if i != j:
                table[i, j] = lengths.get((a, b), lengths.get((b, a), np.inf))
    return table


_LINK_TABLE = _table(_LINKS)
_BONES = [(a, b, _table(_LENGTHS)[a, b]) for a, b in LIMBS if np.isfinite(_table(_LENGTHS)[a, b])]
_BONE_A, _BONE_B = (np.array([bone[k] for bone in _BONES]) for k in (0, 1))
_BONE_LENGTH = np.array([length for _, _, length in _BONES])


def join_pieces(ids: np.ndarray, xy: np.ndarray) -> list[list[int]]:
    """Which pieces belong together.

    Two pieces are joined if neither has a neck, no joint is in both, and the shortest link between them (relative to what
    is usual for a body of their size) is not too long; the shortest links first. The size is that of the longest bone, as
    perspective only shortens.

    Args:
        ids: (N, 18) peak numbers of the pieces, -1 where missing.
        xy: (P, 2) positions of the peaks.

    Returns:
        Groups of row numbers; a piece that is not joined is a group of its own.
    """
    groups = [[k] for k in range(len(ids))]
    has = ids >= 0
    loose = np.flatnonzero(~has[:, _NECK] & (has.sum(axis=1) >= _SMALLEST))
    if len(loose) < 2:
        return groups
    places = np.where(has[loose][..., None], xy[ids[loose]], np.nan)
    bones = np.linalg.norm(places[:, _BONE_A] - places[:, _BONE_B], axis=-1) / _BONE_LENGTH
    size = np.nan_to_num(bones).max(axis=1)
    first, second = np.triu_indices(len(loose), 1)
    between = np.linalg.norm(places[first][:, :, None] - places[second][:, None], axis=-1)
    relative = np.where(np.isnan(between), np.inf, between / _LINK_TABLE).min(axis=(1, 2))
    both = np.maximum(size[first], size[second])
    relative = relative / np.where(both > 0, both, 1e-9)
    members = {k: groups[k] for k in range(len(ids))}
    used = has.copy()
    for k in np.argsort(relative, kind="stable"):
        if relative[k] > _REACH:
            break
        a, b = members[loose[first[k]]], members[loose[second[k]]]
        if a is b or (used[a[0]] & used[b[0]]).any():
            continue
        used[a[0]] |= used[b[0]]
        a.extend(b)
        for row in b:
            members[row] = a
        groups = [group for group in groups if group is not b]
    return groups
