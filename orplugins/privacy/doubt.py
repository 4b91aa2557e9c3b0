"""Which frames somebody has to look at first.

A doubt is a guess between 0 and 1 of how likely a head is left in view; it orders frames, it is no probability.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from orplugins.privacy.people import Person

_COVERED = 0.9  # of somebody's place that is hidden anyhow
_SURE = 0.3  # score from which on a person counts for the number of people
_FAINT = 0.8  # greatest doubt because of a find below the threshold
_WEAK, _UNSEEN, _FEWER, _NOBODY, _PART = 0.3, 0.25, 0.35, 0.3, 0.15
_AROUND = 4  # frames on either side with which the number of people is compared


@dataclass(frozen=True)
class Doubt:
    """Doubt about one frame.

    Attributes:
        value: 0 to 1.
        reasons: Why, the strongest first.
        places: (K, 4) x1, y1, x2, y2 where to look.
    """

    value: float
    reasons: tuple[str, ...] = ()
    places: np.ndarray = field(default_factory=lambda: np.zeros((0, 4)))


def doubt_of(
    shown: Sequence[Person], faint: Sequence[Person], mask: np.ndarray, threshold: float, around: Sequence[int] = ()
) -> Doubt:
    """Doubt about a frame.

    Args:
        shown: Who is hidden in it.
        faint: Who was found with a score below the threshold.
        mask: (H, W) what is hidden.
        threshold: Least score of somebody who is hidden.
        around: Numbers of people that are surely in the frames around it.

    Returns:
        The doubt.
    """
    parts: list[tuple[float, str, np.ndarray | None]] = []
    for person in faint:
        if _covered(person, mask) < _COVERED:
            value = _FAINT * person.score / max(threshold, 1e-9)
            parts.append((value, f"somebody may be there (score {person.score:.3f}), not hidden", _place(person)))
    for person in shown:
        if person.why != "found":
            parts.append((_UNSEEN, f"not found here: {person.why}", _place(person)))
        elif not len(person.shapes):
            parts.append((_WEAK, "somebody was found, but not where the head is", _place(person)))
        elif person.score < _SURE:
            parts.append(
                (_WEAK * (1 - person.support) + _PART, f"weak find (score {person.score:.2f})", _place(person))
            )
    sure = sum(person.score >= _SURE and person.why == "found" for person in shown)
    if len(around) and sure < np.median(around):
        parts.append((_FEWER, f"{sure} people found surely, {np.median(around):g} in the frames around", None))
    if not any(len(person.shapes) for person in shown):
        parts.append((_NOBODY, "nobody found", None))
    parts.sort(key=lambda part: -part[0])
    value = 1 - float(np.prod([1 - each for each, *_ in parts])) if parts else 0.0
    places = [place for *_, place in parts if place is not None]
    reasons = tuple(dict.fromkeys(reason for _, reason, _ in parts))
    return Doubt(round(value, 4), reasons[:5], np.array(places).reshape(-1, 4))


def sure_people(people: Sequence[Person]) -> int:
    """How many are in a frame for sure.

    Args:
        people: Who was found.
    """
    return sum(person.score >= _SURE for person in people)


def neighbours(counts: Sequence[int], t: int) -> list[int]:
    """Numbers of people in the frames around one.

    Args:
        counts: Of each frame.
        t: The frame.
    """
    return [counts[k] for k in range(max(0, t - _AROUND), min(len(counts), t + _AROUND + 1)) if k != t]


def _place(person: Person) -> np.ndarray:
    return np.r_[person.centre - person.half, person.centre + person.half]


def _covered(person: Person, mask: np.ndarray) -> float:
    """Share of somebody's place, within the picture, that is hidden."""
    low = np.maximum(np.floor(person.centre - person.half), 0).astype(int)
    high = np.minimum(np.ceil(person.centre + person.half), mask.shape[::-1]).astype(int)
    inside = mask[low[1] : high[1], low[0] : high[0]]
    return float(inside.mean()) if inside.size else 1.0
