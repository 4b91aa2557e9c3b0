"""Optimal one-to-one assignment by cost."""

from __future__ import annotations

import math

import numpy as np

NO_MATCH = 1e6  # stands for infinity in the assignment


def match_pairs(cost: np.ndarray, reject: float = math.inf) -> np.ndarray:
    """Optimal one-to-one assignment of rows to columns (Hungarian algorithm).

    Args:
        cost: (L, R) costs; non-finite ones, and those from `NO_MATCH` on, can not be chosen.
        reject: Highest cost of a pair.

    Returns:
        (L,) column of each row; -1 where there is none, or the assigned pair costs more than ``reject``.
    """
    from scipy.optimize import linear_sum_assignment

    match = np.full(len(cost), -1)
    finite = np.where(np.isfinite(cost), cost, NO_MATCH)
    for i, j in zip(*linear_sum_assignment(finite), strict=True):
        if finite[i, j] < NO_MATCH and finite[i, j] <= reject:
            match[i] = j
    return match
