"""Errors of multi-view 3D people against MVOR's annotations: recall, false people, distances by supporting views.

Distances are given in two ways, never to be mixed. ``abs``: in the common frame of the cameras, left and right hip
apart. ``pub``: as the published table of MVOR's 3D regression is counted: every joint minus its own middle of the
shoulders, and of the hips only their centre. Both are means over the joints that were found; the share of joints found
stands beside them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orplugins.multiview.people import LIMB_NAMES

GROUPS = ("shoulder", "hip", "elbow", "wrist")
GROUP_JOINTS = {g: tuple(i for i, name in enumerate(LIMB_NAMES) if name.endswith(g)) for g in GROUPS}
SHOULDERS, HIPS = GROUP_JOINTS["shoulder"], GROUP_JOINTS["hip"]
GATE_M = 0.5
PCK_M = 0.15


@dataclass(frozen=True)
class Matches:
    """Pairs of annotated and found people.

    Attributes:
        truth: (M,) indices, each at most once.
        found: (M,) indices, each at most once.
    """

    truth: np.ndarray
    found: np.ndarray


@dataclass(frozen=True)
class ErrorRow:
    """Mean errors of some people.

    Attributes:
        people: How many.
        groups: Error of each joint group, centimetres.
        coverage: Share of their annotated joints that were found.
    """

    people: int
    groups: dict[str, float]
    coverage: float

    @property
    def mean(self) -> float:
        """Mean of the four groups."""
        return float(np.mean(list(self.groups.values())))


def match_people(
    truth: np.ndarray, truth_frames: np.ndarray, found: np.ndarray, found_frames: np.ndarray, gate: float = GATE_M
) -> Matches:
    """Per frame the assignment with the lowest sum of median joint distances (Hungarian).

    Args:
        truth: (T, 8, 3) metres, NaN where missing.
        truth_frames: (T,) frame of each.
        found: (P, 8, 3) in the same axes.
        found_frames: (P,) frame of each.
        gate: Maximum median distance of a pair, metres.

    Returns:
        The pairs.
    """
    from scipy.optimize import linear_sum_assignment

    pairs: list[tuple[int, int]] = []
    for frame in np.unique(truth_frames):
        rows, columns = np.flatnonzero(truth_frames == frame), np.flatnonzero(found_frames == frame)
        if not len(columns):
            continue
        distance = np.linalg.norm(truth[rows][:, None] - found[columns][None], axis=-1)
        counts = np.isfinite(distance).any(-1)
        cost = np.where(counts, np.nanmedian(np.where(counts[..., None], distance, 0.0), -1), 1e3)
        cost = np.where(cost <= gate, cost, 1e3)
        pairs += [
            (rows[i], columns[j]) for i, j in zip(*linear_sum_assignment(cost), strict=True) if cost[i, j] <= gate
        ]
    table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return Matches(table[:, 0], table[:, 1])


def absolute_errors(truth: np.ndarray, found: np.ndarray, counted: np.ndarray | None = None) -> ErrorRow:
    """``abs`` errors of matched people.

    Args:
        truth: (M, 8, 3) metres, NaN where missing.
        found: (M, 8, 3) likewise.
        counted: (M, 8) joints that count; None: all.

    Returns:
        Means by joint group.
    """
    valid = np.isfinite(truth).all(-1) if counted is None else np.isfinite(truth).all(-1) & counted
    error = np.where(valid, np.linalg.norm(truth - found, axis=-1), np.nan) * 100
    groups = {name: _mean(error[:, list(joints)]) for name, joints in GROUP_JOINTS.items()}
    there = np.isfinite(error).sum()
    return ErrorRow(len(truth), groups, float(there / max(valid.sum(), 1)))


def published_errors(truth: np.ndarray, found: np.ndarray) -> ErrorRow:
    """``pub`` errors of matched people.

    Args:
        truth: (M, 8, 3) metres, NaN where missing.
        found: (M, 8, 3) likewise.

    Returns:
        Means by joint group.
    """
    relative = [joints - joints[:, list(SHOULDERS)].mean(1, keepdims=True) for joints in (truth, found)]
    error = np.linalg.norm(relative[0] - relative[1], axis=-1) * 100
    centre = np.linalg.norm(relative[0][:, list(HIPS)].mean(1) - relative[1][:, list(HIPS)].mean(1), axis=-1) * 100
    groups = {name: _mean(error[:, list(joints)]) for name, joints in GROUP_JOINTS.items()} | {"hip": _mean(centre)}
    valid = np.isfinite(truth).all(-1)
    return ErrorRow(len(truth), groups, float(np.isfinite(error[valid]).mean()) if valid.any() else float("nan"))


def pck3d(
    truth: np.ndarray, found: np.ndarray, matches: Matches, counted: np.ndarray | None = None, limit: float = PCK_M
) -> float:
    """Percentage of all annotated joints found within a distance; missed people and joints are wrong.

    Args:
        truth: (T, 8, 3) metres, NaN where missing.
        found: (P, 8, 3) likewise.
        matches: Who is who.
        counted: (T, 8) joints that count; None: all.
        limit: Metres.

    Returns:
        Percent; NaN without an annotated joint.
    """
    valid = np.isfinite(truth).all(-1) if counted is None else np.isfinite(truth).all(-1) & counted
    distance = np.full(truth.shape[:2], np.inf)
    distance[matches.truth] = np.linalg.norm(truth[matches.truth] - found[matches.found], axis=-1)
    with np.errstate(invalid="ignore"):
        return 100 * float((distance <= limit)[valid].mean()) if valid.any() else float("nan")


def _mean(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")
