"""Joining the fragments of people whose neck is not seen.

Trunk limbs all start at the neck, so without it arms, legs and face stay apart: one person is counted several times.
Here fragments are joined where the distances between them are those of a body of the fragments' own size.
"""

from __future__ import annotations

import numpy as np

from orplugins.depthpose.paf.layout import LIMBS, NUM_JOINTS
from orplugins.skeletons import OPENPOSE_18

_NECK = OPENPOSE_18.index("neck")
# Usual lengths in body heights. They need not be exact: a body's links may be _REACH times as long on average, and two
# pieces may differ _AGREE times in size. Measured on generated scenes: with the mean over all links half as many joints
# go to the wrong person as with the shortest link.
_LENGTHS = {("shoulder", "elbow"): 0.17, ("elbow", "wrist"): 0.15, ("hip", "knee"): 0.24, ("knee", "ankle"): 0.24}
_LINKS = {("hip", "shoulder"): 0.30, ("nose", "shoulder"): 0.15, ("ear", "shoulder"): 0.15, ("eye", "shoulder"): 0.16,
          ("shoulder", "shoulder"): 0.24, ("hip", "hip"): 0.16}  # fmt: skip
_REACH = 1.3
_AGREE = 1.6
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


_LINK_A, _LINK_B = np.nonzero(np.isfinite(_table(_LINKS)))
_LINK_LENGTH = _table(_LINKS)[_LINK_A, _LINK_B]
_BONE_A, _BONE_B = np.array([limb for limb in LIMBS if np.isfinite(_table(_LENGTHS)[limb])]).T
_BONE_LENGTH = _table(_LENGTHS)[_BONE_A, _BONE_B]


def join_pieces(ids: np.ndarray, xy: np.ndarray) -> list[list[int]]:
    """Which fragments belong together.

    Two fragments are joined if neither has a neck, no joint is in both, their sizes agree, and the links between them
    are not too long for a body of that size; the shortest links first. A fragment's size is that of its longest bone,
    as perspective only shortens.

    Args:
        ids: (N, 18) peak numbers of the fragments, -1 where missing.
        xy: (P, 2) positions of the peaks.

    Returns:
        Groups of row numbers; a fragment that is not joined is a group of its own.
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
    between = np.linalg.norm(places[first][:, :, None] - places[second][:, None], axis=-1)[:, _LINK_A, _LINK_B]
    linked = ~np.isnan(between)
    links = np.where(linked, between / _LINK_LENGTH, 0).sum(axis=1) / np.maximum(linked.sum(axis=1), 1)
    smaller, larger = np.sort(np.stack([size[first], size[second]]), axis=0)
    # A piece without bones (a face) has no size and agrees with every other.
    possible = linked.any(axis=1) & (larger > 0) & ((smaller == 0) | (larger <= _AGREE * smaller))
    relative = np.where(possible, links / np.maximum(larger, 1e-9), np.inf)
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
