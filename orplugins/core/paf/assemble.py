"""From limb connections to people: the published table walk and a union of pieces without its quirks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orplugins.core.paf.layout import LIMBS, NUM_JOINTS
from orplugins.core.paf.poses import PafDecodeSettings


def _prune(rows: np.ndarray, settings: PafDecodeSettings) -> np.ndarray:
    totals, counters = rows[:, -2], rows[:, -1]
    return rows[(counters >= settings.min_joints) & (totals >= settings.min_mean_score * counters)]


def assemble_published(
    scores: np.ndarray,
    connections: Sequence[Sequence[tuple[int, int, float]]],
    settings: PafDecodeSettings | None = None,
) -> np.ndarray:
    """People as the published decoder puts them together.

    Limbs are walked in decoding order. Kept from the published code: a source joint is lost where only the destination is
    found in a row; an overwritten joint is counted again; of two rows that overlap the earlier one is changed.

    Args:
        scores: (P,) heatmap values of the peaks.
        connections: For each limb in decoding order its (source id, destination id, score).

    Returns:
        (N, 20) float64 rows: 18 peak ids (-1: missing), total score, joint counter.
    """
    settings = settings or PafDecodeSettings()
    rows: list[np.ndarray] = []
    for (a_type, b_type), limb in zip(LIMBS, connections):
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
