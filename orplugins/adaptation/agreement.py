"""Which of a teacher's detections become labels: those that last over neighbouring frames and can be a person.

A network that is wrong about a picture is rarely wrong in the same way a moment later, unless it is wrong about a thing
that stands there all the time. So detections are linked over time; what flickers is dropped, what is missing between
two sightings is filled in, and what never changes in the whole recording needs a higher score than what comes and goes.
A detection that is neither sure to be a person nor sure to be none is `unsure`: training is not told about it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from orplugins.adaptation.fusion import Detections, iou


@dataclass(frozen=True)
class AgreementRules:
    """Limits of :func:`agree`.

    Attributes:
        fuse_iou: Overlap from which on two views' answers are about one person.
        least_score: Detections below are not looked at.
        link_iou: Least overlap of a detection with the last one of its chain.
        patience: Frames without a sighting over which a chain goes on, and which are filled in.
        least_length: Frames of a chain that can become a label.
        least_presence: Share of its frames in which it must be seen.
        sure: Mean score of a chain of something that moves, from which on it is a person.
        sure_still: The same of what looks the same in the whole recording.
        unsure: Mean score from which on a chain that is no label is at least not said to be background.
        still_unsure: The same of what looks the same in the whole recording.
        duplicate_iou: Overlap from which on the weaker of two labels is left out.
    """

    fuse_iou: float = 0.55
    least_score: float = 0.12
    link_iou: float = 0.4
    patience: int = 4
    least_length: int = 5
    least_presence: float = 0.6
    sure: float = 0.45
    sure_still: float = 0.8
    unsure: float = 0.25
    still_unsure: float = 0.6
    duplicate_iou: float = 0.5


RULES = AgreementRules()
_SPEED_OVER = 6  # sightings


@dataclass(frozen=True)
class Chain:
    """One thing over time.

    Attributes:
        frames: Where it was seen, in order.
        members: (index of the detection in its frame) of each.
        score: Mean score of the sightings.
        presence: Share of its frames in which it was seen.
        still: Share of the recording in which its place looks the same, see `orplugins.adaptation.stillness`.
    """

    frames: tuple[int, ...]
    members: tuple[int, ...]
    score: float
    presence: float
    still: float


@dataclass(frozen=True)
class FrameLabels:
    """What training is told about a frame.

    Attributes:
        people: Who is there.
        unsure: (K, 4) boxes about which nothing is said.
        filled: (N,) of `people`, who was not seen in this frame but before and after it.
    """

    people: Detections
    unsure: np.ndarray
    filled: np.ndarray


def link(found: Sequence[Detections], rules: AgreementRules = RULES) -> list[list[tuple[int, int]]]:
    """Link detections of neighbouring frames that overlap, one to one (Hungarian); who walks is expected to walk on.

    Args:
        found: Of each frame.
        rules: See :class:`AgreementRules`.

    Returns:
        Chains of (frame, index).
    """
    from scipy.optimize import linear_sum_assignment

    chains: list[list[tuple[int, int]]] = []
    alive: list[int] = []
    for t, each in enumerate(found):
        alive = [c for c in alive if t - chains[c][-1][0] <= rules.patience + 1]
        last = np.array([_expected(chains[c], found, t) for c in alive]).reshape(-1, 4)
        index = np.flatnonzero(each.scores >= rules.least_score)
        overlap = iou(last, each.boxes[index])
        taken = set()
        for a, b in zip(*linear_sum_assignment(-overlap), strict=True):
            if overlap[a, b] >= rules.link_iou:
                chains[alive[a]].append((t, int(index[b])))
                taken.add(int(index[b]))
        for k in index:
            if int(k) not in taken:
                alive.append(len(chains))
                chains.append([(t, int(k))])
    return chains


def _expected(chain: Sequence[tuple[int, int]], found: Sequence[Detections], frame: int) -> np.ndarray:
    """Box (4,) of a chain in a frame after its end: the last one, moved on at its speed over some frames."""
    (end, k), (start, j) = chain[-1], chain[max(0, len(chain) - _SPEED_OVER)]
    last, first = found[end].boxes[k], found[start].boxes[j]
    if end == start:
        return last
    speed = ((last[:2] + last[2:]) - (first[:2] + first[2:])) / 2 / (end - start)
    return last + np.tile(speed, 2) * (frame - end)


def describe(
    chains: Sequence[Sequence[tuple[int, int]]],
    found: Sequence[Detections],
    still: Callable[[int, np.ndarray], float],
    samples: int = 5,
) -> list[Chain]:
    """Score, presence and stillness of chains.

    Args:
        chains: From :func:`link`.
        found: Of each frame.
        still: (frame, box) -> share of the recording, see `orplugins.adaptation.stillness.Stillness.share`.
        samples: Sightings whose stillness is looked at.

    Returns:
        The chains.
    """
    out = []
    for chain in chains:
        frames, members = zip(*chain, strict=True)
        chosen = np.unique(np.linspace(0, len(chain) - 1, samples).astype(int))
        shares = [still(frames[k], found[frames[k]].boxes[members[k]]) for k in chosen]
        score = float(np.mean([found[t].scores[k] for t, k in chain]))
        out.append(Chain(frames, members, score, len(chain) / (frames[-1] - frames[0] + 1), float(np.mean(shares))))
    return out


def verdict(chain: Chain, rules: AgreementRules = RULES) -> str:
    """Whether a chain is a person.

    The score that a chain needs rises from `sure` to `sure_still` with the square of its stillness.

    Args:
        chain: The chain.
        rules: See :class:`AgreementRules`.

    Returns:
        "person", "unsure" or "background".
    """
    lasting = len(chain.frames) >= rules.least_length and chain.presence >= rules.least_presence
    weight = chain.still**2
    if lasting and chain.score >= rules.sure + weight * (rules.sure_still - rules.sure):
        return "person"
    return "unsure" if chain.score >= rules.unsure + weight * (rules.still_unsure - rules.unsure) else "background"


def agree(
    found: Sequence[Detections],
    still: Callable[[int, np.ndarray], float],
    rules: AgreementRules = RULES,
) -> list[FrameLabels]:
    """Labels of a recording's frames.

    Args:
        found: What the teacher found in each frame, in order of time.
        still: See :func:`describe`.
        rules: See :class:`AgreementRules`.

    Returns:
        Of each frame.
    """
    people: list[list[tuple[float, Detections, bool]]] = [[] for _ in found]
    unsure: list[list[np.ndarray]] = [[] for _ in found]
    for chain in describe(link(found, rules), found, still):
        kind = verdict(chain, rules)
        for frame, person, filled in _sightings(chain, found):
            if kind == "person":
                people[frame].append((chain.score, person, filled))
            elif kind == "unsure":
                unsure[frame].append(person.boxes[0])
    return [_labels(found[t], each, unsure[t], rules) for t, each in enumerate(people)]


def _sightings(chain: Chain, found: Sequence[Detections]) -> list[tuple[int, Detections, bool]]:
    """(frame, the person alone, whether filled in) in all frames of a chain."""
    out: list[tuple[int, Detections, bool]] = []
    for t, k in zip(chain.frames, chain.members, strict=True):
        here = found[t].where(np.array([k]))
        if out and t - out[-1][0] > 1:
            last, before = out[-1][0], out[-1][1]
            for gap in range(last + 1, t):
                out.append((gap, _between(before, here, (gap - last) / (t - last)), True))
        out.append((t, here, False))
    return out


def _between(before: Detections, after: Detections, part: float) -> Detections:
    """A person who was missed, on the straight line between two sightings."""

    def mean(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (1 - part) * a + part * b

    joints = mean(before.keypoints, after.keypoints)
    joints[..., 2] = np.minimum(before.keypoints[..., 2], after.keypoints[..., 2])
    return Detections(
        mean(before.boxes, after.boxes),
        np.minimum(before.scores, after.scores),
        joints,
        np.minimum(before.support, after.support),
    )


def _labels(
    found: Detections, people: list[tuple[float, Detections, bool]], unsure: list[np.ndarray], rules: AgreementRules
) -> FrameLabels:
    """One frame's labels: of two that overlap the one of the stronger chain."""
    kept: list[tuple[float, Detections, bool]] = []
    for each in sorted(people, key=lambda each: -each[0]):
        boxes = np.array([other.boxes[0] for _, other, _ in kept]).reshape(-1, 4)
        if not (iou(each[1].boxes, boxes) > rules.duplicate_iou).any():
            kept.append(each)
    boxes = np.array([person.boxes[0] for _, person, _ in kept]).reshape(-1, 4)
    joints = np.array([person.keypoints[0] for _, person, _ in kept]).reshape(-1, *found.keypoints.shape[1:])
    support = np.array([person.support[0] for _, person, _ in kept])
    free = [box for box in unsure if not (iou(box, boxes) > rules.duplicate_iou).any()]
    return FrameLabels(
        Detections(boxes, np.array([score for score, _, _ in kept]), joints, support),
        np.array(free).reshape(-1, 4),
        np.array([filled for _, _, filled in kept], dtype=bool),
    )
