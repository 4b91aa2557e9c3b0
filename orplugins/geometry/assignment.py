"""Optimal one-to-one assignment by cost."""

from __future__ import annotations

import numpy as np

NO_MATCH = 1e6  # stands for infinity in the assignment


def match_pairs(cost: np.ndarray, reject: float) -> np.ndarray:
    """(L,) column of each row of costs (L, R), -1 where none costs ``reject`` or less; optimal (Hungarian)."""
    from scipy.optimize import linear_sum_assignment

    match = np.full(len(cost), -1)
    finite = np.where(np.isfinite(cost), cost, NO_MATCH)
    for i, j in zip(*linear_sum_assignment(finite), strict=True):
        if finite[i, j] <= reject:
            match[i] = j
    return match
