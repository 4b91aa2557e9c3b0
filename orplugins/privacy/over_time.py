"""People who were missed between two finds, or just before and after one, are hidden as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orplugins.geometry.assignment import NO_MATCH, match_pairs
from orplugins.privacy.people import Person

BETWEEN, HELD = "between two finds", "just before or after a find"


@dataclass(frozen=True)
class TimeRules:
    """How finds are followed.

    Attributes:
        gap: Frames without a find that are filled between two.
        hold: Frames before the first and after the last find for which a person stays hidden.
        reach: How far a person may move in a frame, in radii of what is hidden.
        growth: By how much what is hidden grows a frame away from the next find, in radii,
        most_growth: and at most.
        sure: A person whose score is never so high, on no frame, and who is on fewer than
        least: frames, is neither held nor filled.
    """

    gap: int = 12
    hold: int = 4
    reach: float = 1.5
    growth: float = 0.15
    most_growth: float = 0.6
    sure: float = 0.3
    least: int = 3


def over_time(frames: Sequence[Sequence[Person]], rules: TimeRules | None = None) -> list[list[Person]]:
    """Add people where they must be, or may be, by the frames before and after.

    Args:
        frames: The people of each frame of one camera, in order.
        rules: See `TimeRules`; None: the defaults.

    Returns:
        The people of each frame, the given ones first.
    """
    rules = rules or TimeRules()
    out = [list(people) for people in frames]
    for track in follow(frames, rules):
        times = sorted(track)
        if max(person.score for person in track.values()) < rules.sure and len(times) < rules.least:
            continue
        for before, after in zip(times[:-1], times[1:], strict=True):
            for t in range(before + 1, after):
                out[t] += _between(track[before], track[after], (t - before) / (after - before), t - before, rules)
        for end, step in ((times[0], -1), (times[-1], 1)):
            for k in range(1, rules.hold + 1):
                t = end + step * k
                if 0 <= t < len(out):
                    out[t].append(track[end].moved(track[end].centre, _grown(k, rules), HELD))
    return out


def follow(frames: Sequence[Sequence[Person]], rules: TimeRules) -> list[dict[int, Person]]:
    """Link the people of frames: least sum of distances, each in the radii that a person may have moved.

    Args:
        frames: The people of each frame.
        rules: See `TimeRules`.

    Returns:
        Of each track, the person by frame.
    """
    tracks: list[dict[int, Person]] = []
    for t, people in enumerate(frames):
        alive = [track for track in tracks if t - max(track) <= rules.gap + 1]
        cost = np.full((len(alive), len(people)), NO_MATCH)
        for i, track in enumerate(alive):
            last = max(track)
            for j, person in enumerate(people):
                cost[i, j] = _cost(track[last], person, t - last, rules.reach)
        taken = set()
        for i, j in enumerate(match_pairs(cost)):
            if j >= 0:
                alive[i][t] = people[j]
                taken.add(j)
        tracks += [{t: person} for j, person in enumerate(people) if j not in taken]
    return tracks


def _cost(one: Person, other: Person, frames: int, reach: float) -> float:
    radius = max(one.radius, other.radius)
    alike = radius <= 2.5 * min(one.radius, other.radius)
    distance = float(np.linalg.norm(one.centre - other.centre)) / max(radius, 1e-9)
    # Whoever moves does so for a while, but hardly through the whole picture: the reach grows with the root.
    return distance if alike and distance <= reach * (1 + np.sqrt(frames)) else NO_MATCH


def _between(one: Person, other: Person, share: float, since: int, rules: TimeRules) -> list[Person]:
    centre = (1 - share) * one.centre + share * other.centre
    frames = round(since / max(share, 1e-9))
    grown = _grown(min(since, frames - since), rules)
    return [end.moved(centre, grown, BETWEEN) for end in (one, other)]


def _grown(frames: int, rules: TimeRules) -> float:
    return min(rules.growth * frames, rules.most_growth)
