"""Which frames somebody has to look at first.

A doubt is a guess between 0 and 1 of how likely a head is left in view; it orders frames, it is no probability.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from orplugins.privacy.people import Person

_SURE = 0.3  # score from which on a person counts for the number of people
# On generated pictures, what tells a frame with a head in view from others is the support of all finds below the
# threshold that are not covered anyhow; it weighs most.
_SUPPORT = 2.0  # sum of it at which the doubt is 0.63
_UNSEEN, _HEADLESS, _FEWER, _NOBODY = 0.05, 0.1, 0.1, 0.15
_PLACES = 6  # of a frame that are marked
AROUND = 4  # frames on either side with which the number of people is compared


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


def doubt_of(shown: Sequence[Person], faint: Sequence[Person], mask: np.ndarray, around: Sequence[int] = ()) -> Doubt:
    """Doubt about a frame.

    Args:
        shown: Who is hidden in it.
        faint: Who was found with a score below the threshold.
        mask: (H, W) what is hidden.
        around: Numbers of people that are surely in the frames around it.

    Returns:
        The doubt.
    """
    parts: list[tuple[str, float, str, np.ndarray | None]] = []
    open_ = [(person, person.support * (1 - _covered(person, mask))) for person in faint]
    total, places = sum(support for _, support in open_), sum(support > 0 for _, support in open_)
    if places:
        text = f"{places} places where somebody may be who is not hidden"
        parts.append(("faint", 1 - float(np.exp(-total / _SUPPORT)), text, None))
    for person in shown:
        if person.why != "found":
            parts.append(("unseen", _UNSEEN, f"not found here: {person.why}", _place(person)))
        elif not len(person.shapes):
            parts.append(("headless", _HEADLESS, "somebody was found, but not where the head is", _place(person)))
    sure = sum(person.score >= _SURE and person.why == "found" for person in shown)
    if len(around) and sure < np.median(around):
        parts.append(("fewer", _FEWER, f"{sure} people found surely, {np.median(around):g} in the frames around", None))
    if not any(len(person.shapes) for person in shown):
        parts.append(("nobody", _NOBODY, "nobody found", None))
    parts.sort(key=lambda part: -part[1])
    strongest = {kind: value for kind, value, *_ in parts}  # a kind of reason counts once
    value = 1 - float(np.prod([1 - each for each in strongest.values()])) if parts else 0.0
    reasons = {kind: reason for kind, _, reason, _ in parts}
    marked = [person for person, support in sorted(open_, key=lambda each: -each[1]) if support > 0]
    look = [_place(person) for person in marked] + [place for *_, place in parts if place is not None]
    ordered = tuple(reasons[kind] for kind in sorted(reasons, key=lambda kind: -strongest[kind]))
    return Doubt(round(value, 4), ordered, np.array(look[:_PLACES]).reshape(-1, 4))


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
    return [counts[k] for k in range(max(0, t - AROUND), min(len(counts), t + AROUND + 1)) if k != t]


def _place(person: Person) -> np.ndarray:
    return np.r_[person.centre - person.half, person.centre + person.half]


def _covered(person: Person, mask: np.ndarray) -> float:
    """Share of somebody's place, within the picture, that is hidden."""
    low = np.maximum(np.floor(person.centre - person.half), 0).astype(int)
    high = np.clip(np.ceil(person.centre + person.half), 0, mask.shape[::-1]).astype(int)
    inside = mask[low[1] : high[1], low[0] : high[0]]
    return float(inside.mean()) if inside.size else 1.0
