"""Where two cameras stand to each other, from people in both images, when nobody says who is who.

Pairs of detections of one moment are hypotheses of one person. Two or three of them, of different moments, give an
essential matrix; the one with which the most people of all moments agree is kept, and made better by taking the pairs
that agree in turn (RANSAC with local optimisation).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orplugins.geometry.two_views import relative_poses
from orplugins.rig.bodies import bone_ratios
from orplugins.rig.essential import eight_point, sampson
from orplugins.rig.observations import View
from orplugins.rig.points import intersect_two

# Distance from the epipolar geometry at which a joint speaks neither for nor against a pair, as a share of the size of
# the person in the image.
TOLERANCE = 0.045
_LEAST_SHARED = 5
_CHUNK = 48
_FIRST_LOOK = 30  # moments


@dataclass(frozen=True, eq=False)
class Candidates:
    """P pairs of detections of one moment.

    Attributes:
        first, second: (P,) detections of the two views.
        slot: (P,) number of the moment, from 0.
        row, column: (P,) number of the detection within its moment and view.
        a, b: (P, 17, 2) rays, 0 where not both have the joint.
        weight: (P, 17), 0 where not both have the joint.
        size: (P,) size of the person in the images, x/z.
    """

    first: np.ndarray
    second: np.ndarray
    slot: np.ndarray
    row: np.ndarray
    column: np.ndarray
    a: np.ndarray
    b: np.ndarray
    weight: np.ndarray
    size: np.ndarray

    def take(self, chosen: np.ndarray) -> Candidates:
        """The pairs of a mask, moments numbered anew."""
        parts = {name: getattr(self, name)[chosen] for name in self.__dataclass_fields__}
        parts["slot"] = np.unique(parts["slot"], return_inverse=True)[1].ravel()
        return Candidates(**parts)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Moments, and the most detections of a moment in each view."""
        return tuple(int(part.max(initial=-1)) + 1 for part in (self.slot, self.row, self.column))  # type: ignore


@dataclass(frozen=True, eq=False)
class PairPose:
    """Where the second camera stands to the first, up to a scale.

    Attributes:
        pose: (3, 4) [R | t], first to second camera, metres if people are of the usual size.
        score: Agreement, in people.
        chance: The same for people of different moments.
        matched: (M, 2) detections of the two views that are one person.
        rival: Highest score of another geometry.
    """

    pose: np.ndarray
    score: float
    chance: float
    matched: np.ndarray
    rival: float


def candidates(first: View, second: View, frames: np.ndarray, lag: int = 0) -> Candidates:
    """Every pair of detections of the same moment.

    Args:
        first: One camera.
        second: Another camera.
        frames: Of the first camera, which are looked at.
        lag: Frames that are added to the first camera's numbers.

    Returns:
        Pairs that have enough joints in common.
    """
    rows: list[tuple[int, int, int, int, int]] = []
    for slot, frame in enumerate(np.asarray(frames).tolist()):
        here, there = _range(first.frame, frame), _range(second.frame, frame + lag)
        rows += [(i, j, slot, i - here.start, j - there.start) for i in here for j in there]
    table = np.array(rows, dtype=np.int64).reshape(-1, 5)
    weight = np.sqrt(first.weight[table[:, 0]] * second.weight[table[:, 1]])
    enough = (weight > 0).sum(1) >= _LEAST_SHARED
    table, weight = table[enough], weight[enough]
    there = (weight > 0)[..., None]
    a, b = first.rays[table[:, 0]], second.rays[table[:, 1]]
    size = (first.size[table[:, 0]] + second.size[table[:, 1]]) / 2
    i, j, slot, row, column = table.T
    return Candidates(i, j, slot, row, column, np.where(there, a, 0.0), np.where(there, b, 0.0), weight, size)


def _range(frame: np.ndarray, number: int) -> range:
    return range(int(np.searchsorted(frame, number)), int(np.searchsorted(frame, number, "right")))


def agreement(essential: np.ndarray, pairs: Candidates) -> np.ndarray:
    """How much the joints of pairs speak for them being one person each.

    Args:
        essential: (H, 3, 3).
        pairs: P pairs.

    Returns:
        (H, P) between -1 and 1.
    """
    count = len(pairs.first)
    distance = sampson(essential, pairs.a.reshape(-1, 2), pairs.b.reshape(-1, 2)).reshape(-1, count, 17)
    term = np.clip(1 - distance / (TOLERANCE * pairs.size[:, None]), -1, 1)
    return (pairs.weight * term).sum(-1) / np.maximum(pairs.weight.sum(-1), 1e-9) * _trust(pairs)


def _trust(pairs: Candidates) -> np.ndarray:
    """Few joints agree by chance more easily."""
    return np.minimum((pairs.weight > 0).sum(1) / 10, 1.0)


def mutual(scores: np.ndarray, pairs: Candidates) -> np.ndarray:
    """Which pairs are the best of both of their detections, and agree.

    Args:
        scores: (H, P).
        pairs: P pairs.

    Returns:
        (H, P) bool.
    """
    table = np.full((len(scores), *pairs.shape), -np.inf)
    table[:, pairs.slot, pairs.row, pairs.column] = scores
    best_row, best_column = table.max(3), table.max(2)
    return (
        (scores > 0)
        & (scores == best_row[:, pairs.slot, pairs.row])
        & (scores == best_column[:, pairs.slot, pairs.column])
    )


def totals(essential: np.ndarray, pairs: Candidates) -> np.ndarray:
    """(H,) people that agree with essential matrices."""
    found = []
    for start in range(0, len(essential), _CHUNK):
        scores = agreement(essential[start : start + _CHUNK], pairs)
        found.append(np.where(mutual(scores, pairs), scores, 0.0).sum(1))
    return np.concatenate(found) if found else np.zeros(0)


def find_pose(pairs: Candidates, rng: np.random.Generator, tries: int = 600, finalists: int = 12) -> PairPose | None:
    """Search the pose of the second camera.

    Args:
        pairs: Pairs of detections of the moments that are looked at.
        rng: Source of the samples.
        tries: Number of samples.
        finalists: How many of them are made better.

    Returns:
        The pose; None where there is none that people agree with.
    """
    if len(pairs.first) < 4 or len(np.unique(pairs.slot)) < 3:
        return None
    essential = _samples(pairs, rng, tries)
    # A third of the moments tells which samples are worth being looked at closely.
    slots = int(pairs.slot.max()) + 1
    some = pairs.take(pairs.slot % max(slots // _FIRST_LOOK, 1) == 0)
    essential = essential[np.argsort(-totals(essential, some))[: 4 * finalists]]
    score = totals(essential, pairs)
    best = np.argsort(-score)[:finalists]
    found = []
    for e in essential[best]:
        better = _optimised(e, pairs)
        if better is not None:
            found.append(_placed(*better, pairs))
    if not found:
        return None
    found.sort(key=lambda pose: -pose.score)
    first = found[0]
    rival = max((p.score for p in found[1:] if _apart(p.pose, first.pose) > _SAME_DEGREES), default=0.0)
    return PairPose(first.pose, first.score, first.chance, first.matched, rival)


# Poses that differ by less are one.
_SAME_DEGREES = 15.0


def _apart(one: np.ndarray, two: np.ndarray) -> float:
    """Degrees between two poses: the larger one of rotation and direction of translation."""
    turn = np.degrees(np.arccos(np.clip((np.trace(one[:, :3] @ two[:, :3].T) - 1) / 2, -1, 1)))
    across = one[:, 3] @ two[:, 3] / max(float(np.linalg.norm(one[:, 3]) * np.linalg.norm(two[:, 3])), 1e-12)
    return float(max(turn, np.degrees(np.arccos(np.clip(across, -1, 1)))))


def _samples(pairs: Candidates, rng: np.random.Generator, tries: int) -> np.ndarray:
    """Essential matrices of two or three random pairs each, of different moments."""
    crowd = np.bincount(pairs.slot)
    # A pair is one person by chance the more often, the fewer people there are; and more joints say more.
    odds = (pairs.weight > 0).sum(1) / crowd[pairs.slot]
    odds = odds / odds.sum()
    drawn = rng.choice(len(odds), size=(tries, 3), p=odds)
    three = np.arange(tries) % 2 == 0
    same = pairs.slot[drawn]
    keep = (same[:, 0] != same[:, 1]) & (~three | ((same[:, 0] != same[:, 2]) & (same[:, 1] != same[:, 2])))
    drawn, three = drawn[keep], three[keep]
    weight = pairs.weight[drawn]
    weight[~three, 2] = 0
    count = len(drawn)
    return eight_point(
        pairs.a[drawn].reshape(count, -1, 2), pairs.b[drawn].reshape(count, -1, 2), weight.reshape(count, -1)
    )


def _optimised(
    essential: np.ndarray, pairs: Candidates, rounds: int = 8
) -> tuple[np.ndarray, np.ndarray, float] | None:
    """Take the pairs that agree and solve again, until that changes nothing."""
    best: tuple[np.ndarray, np.ndarray, float] | None = None
    for _ in range(rounds):
        scores = agreement(essential[None], pairs)
        chosen = mutual(scores, pairs)[0]
        total = float(scores[0, chosen].sum())
        if best is not None and total <= best[2] * 1.0005:
            break
        best = essential, np.flatnonzero(chosen), total
        if chosen.sum() < 3:
            break
        a, b = pairs.a[chosen].reshape(-1, 2), pairs.b[chosen].reshape(-1, 2)
        distance = sampson(essential[None], a, b)[0]
        limit = TOLERANCE * np.repeat(pairs.size[chosen], 17)
        # Cauchy's weights; the division makes the algebraic error of the linear problem the distance in the image.
        weight = pairs.weight[chosen].ravel() / (1 + (3 * distance / limit) ** 2) / limit * _gradient(essential, a, b)
        essential = eight_point(a[None], b[None], weight[None])[0]
    return best


def _gradient(essential: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """One over the length of the epipolar constraint's gradient."""
    line = a @ essential[:, :2].T + essential[:, 2]
    back = b @ essential[:2] + essential[2]
    return 1 / np.sqrt((line[:, :2] ** 2).sum(1) + (back[:, :2] ** 2).sum(1) + 1e-12)


def _placed(essential: np.ndarray, chosen: np.ndarray, total: float, pairs: Candidates) -> PairPose:
    """The one pose of an essential matrix that puts people before both cameras, in metres, and what speaks for it."""
    best, most = None, -1.0
    there = pairs.weight[chosen] > 0
    for pose in map(np.column_stack, relative_poses(essential)):
        points, depth = intersect_two(pose, pairs.a[chosen], pairs.b[chosen])
        ahead = ((depth > 0).all(-1) & there).sum() / max(there.sum(), 1)
        if ahead > most:
            best, most = (pose, np.where(((depth > 0).all(-1) & there)[..., None], points, np.nan)), float(ahead)
    assert best is not None  # there are four
    pose, points = best
    ratios = bone_ratios(points)
    known = np.isfinite(ratios)
    scale = float(np.median(ratios[known])) if known.any() else np.nan
    if not np.isfinite(scale) or scale <= 0:
        return PairPose(pose, 0.0, 0.0, np.zeros((0, 2), dtype=np.int64), 0.0)
    spread = float(np.median(np.abs(np.log(ratios[known] / scale))))
    pose = np.column_stack([pose[:, :3], pose[:, 3] / scale])
    # Bones of one length everywhere: with a wrong geometry people are giants here and dwarfs there.
    alike = np.clip(1.5 - spread / 0.25, 0.0, 1.0)
    matched = np.stack([pairs.first[chosen], pairs.second[chosen]], 1)
    return PairPose(pose, total * most * alike, 0.0, matched, 0.0)
