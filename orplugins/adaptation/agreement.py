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
from orplugins.geometry.assignment import match_pairs


@dataclass(frozen=True)
class AgreementRules:
    """Limits of :func:`agree`.

    Attributes:
        fuse_iou: Overlap from which on two views' answers are about one person.
        least_score: Detections below are not looked at.
        link_iou: Least overlap of a detection with where its chain is expected.
        patience: Frames without a sighting over which a chain goes on, and which are filled in.
        least_length: Frames of a chain that can become a label.
        least_presence: Share of its frames in which it must be seen.
        window: Frames before and after whose sightings count for a frame's strength.
        sure: Strength of something that moves, from which on it is a person.
        sure_still: The same of what looks the same in the whole recording.
        unsure: Strength from which on what is no label is at least not said to be background.
        unsure_still: The same of what looks the same in the whole recording.
        duplicate_iou: Overlap from which on the weaker of two labels is left out.
    """

    fuse_iou: float = 0.55
    least_score: float = 0.12
    link_iou: float = 0.4
    patience: int = 4
    least_length: int = 5
    least_presence: float = 0.6
    window: int = 10
    sure: float = 0.45
    sure_still: float = 0.9
    unsure: float = 0.3
    unsure_still: float = 0.8
    duplicate_iou: float = 0.4

    def say(self, strength: float, still: float, lasting: bool = True) -> str:
        """What a detection is.

        The strength that it needs rises with the fourth power of its stillness.

        Args:
            strength: See :func:`strengths`.
            still: Share of the recording in which its place looks the same.
            lasting: Its chain is long and dense enough.

        Returns:
            "person", "unsure" or "background".
        """
        weight = still**4
        if lasting and strength >= self.sure + weight * (self.sure_still - self.sure):
            return "person"
        return "unsure" if strength >= self.unsure + weight * (self.unsure_still - self.unsure) else "background"


RULES = AgreementRules()
_SPEED_OVER = 6  # sightings


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
    chains: list[list[tuple[int, int]]] = []
    alive: list[int] = []
    for t, each in enumerate(found):
        alive = [c for c in alive if t - chains[c][-1][0] <= rules.patience + 1]
        last = np.array([_expected(chains[c], found, t) for c in alive]).reshape(-1, 4)
        index = np.flatnonzero(each.scores >= rules.least_score)
        overlap = iou(last, each.boxes[index])
        taken = set()
        for a, b in enumerate(match_pairs(-overlap, -rules.link_iou)):
            if b >= 0:
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


def strengths(chain: Sequence[tuple[int, int]], found: Sequence[Detections], window: int) -> np.ndarray:
    """How sure it is that there is somebody, of each sighting: the geometric mean of its score and the neighbours'.

    Args:
        chain: (frame, index) of sightings.
        found: Of each frame.
        window: Frames before and after, in which a frame without a sighting counts as 0.

    Returns:
        (N,) in [0, 1].
    """
    frames = np.array([t for t, _ in chain])
    scores = np.array([found[t].scores[k] for t, k in chain])
    near = np.abs(frames[:, None] - frames) <= window
    lengths = np.minimum(frames + window, len(found) - 1) - np.maximum(frames - window, 0) + 1
    return np.sqrt(scores * (near @ scores) / lengths)


@dataclass(frozen=True)
class _Sighting:
    person: Detections
    strength: float
    filled: bool


def agree(
    found: Sequence[Detections],
    still: Callable[[int, np.ndarray], float],
    rules: AgreementRules = RULES,
) -> list[FrameLabels]:
    """Labels of a recording's frames.

    Args:
        found: What the teacher found in each frame, in order of time.
        still: (frame, box) -> share of the recording in which the place looks the same, see
            `orplugins.adaptation.stillness.Stillness.share`.
        rules: See :class:`AgreementRules`.

    Returns:
        Of each frame.
    """
    people: list[list[_Sighting]] = [[] for _ in found]
    unsure: list[list[np.ndarray]] = [[] for _ in found]
    for chain in link(found, rules):
        span = chain[-1][0] - chain[0][0] + 1
        lasting = len(chain) >= rules.least_length and len(chain) / span >= rules.least_presence
        before: tuple[int, _Sighting] | None = None
        for (t, k), strength in zip(chain, strengths(chain, found, rules.window), strict=True):
            said = rules.say(strength, still(t, found[t].boxes[k]), lasting)
            if said == "unsure":
                unsure[t].append(found[t].boxes[k])
            if said != "person":
                before = None
                continue
            here = _Sighting(found[t].where(np.array([k])), strength, False)
            people[t].append(here)
            if before:
                for gap in range(before[0] + 1, t):
                    people[gap].append(_between(before[1], here, (gap - before[0]) / (t - before[0])))
            before = t, here
    return [_labels(found[t], each, unsure[t], rules) for t, each in enumerate(people)]


def _between(before: _Sighting, after: _Sighting, part: float) -> _Sighting:
    """A person who was missed, on the straight line between two sightings."""

    def mean(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (1 - part) * a + part * b

    a, b = before.person, after.person
    joints = mean(a.keypoints, b.keypoints)
    joints[..., 2] = np.minimum(a.keypoints[..., 2], b.keypoints[..., 2])
    support = np.minimum(a.support, b.support)
    person = Detections(mean(a.boxes, b.boxes), np.minimum(a.scores, b.scores), joints, support)
    return _Sighting(person, min(before.strength, after.strength), True)


def _labels(found: Detections, people: list[_Sighting], unsure: list[np.ndarray], rules: AgreementRules) -> FrameLabels:
    """One frame's labels: of two that overlap the stronger."""
    kept: list[_Sighting] = []
    for each in sorted(people, key=lambda each: -each.strength):
        boxes = np.array([other.person.boxes[0] for other in kept]).reshape(-1, 4)
        if not (iou(each.person.boxes, boxes) > rules.duplicate_iou).any():
            kept.append(each)
    boxes = np.array([each.person.boxes[0] for each in kept]).reshape(-1, 4)
    joints = np.array([each.person.keypoints[0] for each in kept]).reshape(-1, *found.keypoints.shape[1:])
    support = np.array([each.person.support[0] for each in kept])
    free = [box for box in unsure if not (iou(box, boxes) > rules.duplicate_iou).any()]
    return FrameLabels(
        Detections(boxes, np.array([each.strength for each in kept]), joints, support),
        np.array(free).reshape(-1, 4),
        np.array([each.filled for each in kept], dtype=bool),
    )
