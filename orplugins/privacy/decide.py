"""From what was found in every frame of every camera to what is hidden in it, and to how doubtful that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.privacy.across_views import across_views
from orplugins.privacy.doubt import Doubt, doubt_of, neighbours, sure_people
from orplugins.privacy.masks import mask_of
from orplugins.privacy.over_time import TimeRules, over_time
from orplugins.privacy.people import Person, people_of
from orplugins.privacy.recordings import DEPTH, Recording
from orplugins.privacy.search import Searched, depth_at
from orplugins.privacy.settings import BLANK, EVERYTHING, HEADS, PEOPLE, HideSettings

_FAINT = 0.1  # of the threshold: a find with less says nothing


@dataclass(frozen=True)
class FramePlan:
    """What becomes of one frame.

    Attributes:
        size: (width, height); None where it could not be read.
        people: Who is hidden in it.
        faint: Who was found with too low a score to be hidden.
        problem: Why the whole frame is written blank.
        time: Seconds since a video's first frame.
        doubt: About it.
    """

    size: tuple[int, int] | None
    people: tuple[Person, ...] = ()
    faint: tuple[Person, ...] = ()
    problem: str = ""
    time: float | None = None
    doubt: Doubt = Doubt(0.0)

    def mask(self) -> np.ndarray:
        """(H, W) bool, what is hidden."""
        assert self.size is not None
        return mask_of(self.people, self.size)


def plan(
    recordings: Sequence[Recording],
    searched: Sequence[Sequence[Searched]],
    passes: dict[str, int],
    settings: HideSettings,
    cameras: Sequence[Camera] | None = None,
) -> list[list[FramePlan]]:
    """Decide what is hidden.

    Args:
        recordings: V recordings.
        searched: What was found in the frames of each.
        passes: Number of passes by the kind of picture.
        settings: What the user chose.
        cameras: V cameras of one world; the recordings are synchronous then.

    Returns:
        Of each recording, the frames.
    """
    what = HEADS if settings.what == HEADS else PEOPLE
    everybody = [[_everybody(frame, passes, what, settings.margin) for frame in frames] for frames in searched]
    shown = [[[p for p in frame if p.score >= settings.threshold] for frame in frames] for frames in everybody]
    if cameras is not None:
        for t in range(min(map(len, searched))):
            views = [[p for p in frames[t] if p.score >= _FAINT * settings.threshold] for frames in everybody]
            depths = [_depth(each, frames[t], t) for each, frames in zip(recordings, searched, strict=True)]
            for frames, added in zip(shown, across_views(cameras, views, depths, what, settings.margin), strict=True):
                frames[t] = frames[t] + added
    if not settings.stills:
        rules = replace(TimeRules(), gap=settings.gap, hold=settings.hold)
        shown = [[*_by_size(frames, people, rules)] for frames, people in zip(searched, shown, strict=True)]
    return [
        _with_doubts([_frame(*each, settings) for each in zip(*rows, strict=True)], settings)
        for rows in zip(searched, shown, everybody, strict=True)
    ]


def _everybody(frame: Searched, passes: dict[str, int], what: str, margin: float) -> list[Person]:
    if frame.size is None or frame.problem:
        return []
    found = [people_of(finds, passes[kind], frame.size, what, margin) for kind, finds in frame.finds.items()]
    return [person for people in found for person in people]


def _depth(recording: Recording, frame: Searched, t: int) -> np.ndarray | None:
    if frame.size is None or frame.problem:
        return None
    if recording.kind == DEPTH:
        return recording.at(t).picture
    return depth_at(recording, t, frame.size)[0] if recording.depth is not None else None


def _by_size(frames: Sequence[Searched], people: list[list[Person]], rules: TimeRules) -> list[list[Person]]:
    """People over time, within each run of frames of one size: another size is another recording."""
    out: list[list[Person]] = []
    start = 0
    sizes = [frame.size for frame in frames]
    for t in range(1, len(frames) + 1):
        known = [size for size in sizes[start:t] if size is not None]
        if t == len(frames) or (known and sizes[t] is not None and sizes[t] != known[-1]):
            out += over_time(people[start:t], rules)
            start = t
    return out


def _frame(frame: Searched, people: list[Person], everybody: list[Person], settings: HideSettings) -> FramePlan:
    faint = [p for p in everybody if _FAINT * settings.threshold <= p.score < settings.threshold]
    return FramePlan(frame.size, tuple(people), tuple(faint), frame.problem, frame.time)


def _with_doubts(frames: list[FramePlan], settings: HideSettings) -> list[FramePlan]:
    counts = [sure_people([p for p in frame.people if p.why == "found"]) for frame in frames]
    empty = settings.what == EVERYTHING and settings.background == BLANK  # there is nothing to doubt
    out = []
    for t, frame in enumerate(frames):
        doubt = Doubt(0.0)
        if frame.size is not None and not frame.problem and not empty:
            around = [] if settings.stills else neighbours(counts, t)
            doubt = doubt_of(frame.people, frame.faint, frame.mask(), around)
        out.append(replace(frame, doubt=doubt))
    return out
