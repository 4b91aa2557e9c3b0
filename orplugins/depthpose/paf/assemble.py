"""From limb connections to people: the published table walk and a union of fragments without its quirks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orplugins.depthpose.paf.layout import LIMBS, NUM_JOINTS
from orplugins.depthpose.paf.types import PafDecodeSettings


def _prune(rows: np.ndarray, settings: PafDecodeSettings) -> np.ndarray:
    totals, counters = rows[:, -2], rows[:, -1]
    return rows[(counters >= settings.min_joints) & (totals >= settings.min_mean_score * counters)]


def assemble_published(
    scores: np.ndarray,
    connections: Sequence[Sequence[tuple[int, int, float]]],
    settings: PafDecodeSettings | None = None,
) -> np.ndarray:
    """People as the published decoder puts them together (after Cao et al. 2017, section 2.4).

    Limbs are walked in decoding order. Kept from the published code: a source joint is lost where only the destination
    is found in a row; an overwritten joint is counted again; of two rows that overlap the earlier one is changed.

    Args:
        scores: (P,) heatmap values of the peaks.
        connections: For each limb in decoding order its (source id, destination id, score).
        settings: Thresholds; None: the defaults.

    Returns:
        (N, 20) float64 rows: 18 peak ids (-1: missing), total score, joint counter.
    """
    settings = settings or PafDecodeSettings()
    rows: list[np.ndarray] = []
    for (a_type, b_type), limb in zip(LIMBS, connections, strict=True):
        for a, b, score in limb:
            matches = [k for k, row in enumerate(rows) if row[a_type] == a or row[b_type] == b]
            if len(matches) == 1:
                row = rows[matches[0]]
                if row[b_type] != b:
                    _put(row, b_type, b, scores[b] + score)
            elif len(matches) == 2:
                first, second = rows[matches[0]], rows[matches[1]]
                if np.any((first[:NUM_JOINTS] >= 0) & (second[:NUM_JOINTS] >= 0)):
                    _put(first, b_type, b, scores[b] + score)
                else:
                    first[:NUM_JOINTS] += second[:NUM_JOINTS] + 1  # the missing ids are -1
                    first[-2:] += second[-2:]
                    first[-2] += score
                    del rows[matches[1]]
            else:
                row = np.full(NUM_JOINTS + 2, -1.0)
                row[a_type], row[b_type] = a, b
                row[-2:] = scores[a] + scores[b] + score, 2
                rows.append(row)
    return _prune(np.array(rows).reshape(-1, NUM_JOINTS + 2), settings)


def _put(row: np.ndarray, joint: int, peak: int, gain: float) -> None:
    row[joint] = peak
    row[-2] += gain
    row[-1] += 1


def assemble_union(
    types: np.ndarray,
    scores: np.ndarray,
    connections: Sequence[tuple[int, int, int, float]],
    settings: PafDecodeSettings | None = None,
    num_joints: int = NUM_JOINTS,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """People as unions of connected peaks, the surest connections first.

    A connection joins the fragments of its two peaks unless both have a joint of the same type. So every peak belongs
    to one person at most, a person has one peak per joint, and fragments without a neck meet through any limb between
    them.

    Args:
        types: (P,) joint numbers of the peaks.
        scores: (P,) heatmap values of the peaks.
        connections: (limb, source peak, destination peak, score), the best first.
        settings: Thresholds; None: the defaults.
        num_joints: Number K of joints.

    Returns:
        ids (N, K) peak numbers, -1 where missing; totals (N,) sums of joint and limb scores; counters (N,) of joints.
    """
    settings = settings or PafDecodeSettings()
    scores, types = np.asarray(scores).tolist(), np.asarray(types).tolist()
    pieces: dict[int, dict[int, int]] = {}  # of a peak: the peaks of its piece by joint type, shared by all of them
    totals: dict[int, float] = {}  # of a piece, by identity
    for _, a, b, score in connections:
        first = pieces.setdefault(a, {types[a]: a})
        second = pieces.setdefault(b, {types[b]: b})
        gain = totals.pop(id(first), scores[a]) + score
        if first is not second:
            if first.keys() & second.keys():
                totals[id(first)] = gain - score
                continue
            gain += totals.pop(id(second), scores[b])
            first.update(second)
            for peak in second.values():
                pieces[peak] = first
        totals[id(first)] = gain
    people = list({id(piece): piece for piece in pieces.values()}.values())
    ids = np.full((len(people), num_joints), -1, dtype=np.int64)
    for row, piece in zip(ids, people, strict=True):
        row[list(piece)] = list(piece.values())
    sums = np.array([totals.get(id(piece), 0.0) for piece in people])
    counters = (ids >= 0).sum(axis=1)
    keep = (counters >= settings.min_joints) & (sums >= settings.min_mean_score * counters)
    return ids[keep], sums[keep], counters[keep]
