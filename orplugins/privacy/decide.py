"""From what was found in every frame of every camera to what is hidden in it, and to how doubtful that is."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.privacy.across_views import across_views, once
from orplugins.privacy.doubt import AROUND, Doubt, doubt_of, neighbours, sure_people
from orplugins.privacy.masks import mask_of
from orplugins.privacy.over_time import TimeRules, over_time
from orplugins.privacy.people import Person, people_of
from orplugins.privacy.recordings import DEPTH, Recording
from orplugins.privacy.search import Searched, depth_at
from orplugins.privacy.settings import BLANK, EVERYTHING, HEADS, PEOPLE, HideSettings

_FAINT = 0.1  # of the threshold: a find with less says nothing
_CHUNK = 500  # frames that are looked at together: all of a long recording would fill the memory
_DEPTH_MARGIN = 2.0  # times the margin for finds in depth: its network sees cells of a 64th of the width
_DRAWN = 0.4  # least score of a person whose skeleton is drawn


@dataclass(frozen=True)
class FramePlan:
    """What becomes of one frame.

    Attributes:
        size: (width, height); None where it could not be read.
        packed: The pixels that are hidden, in few bytes: recordings are long.
        known: How many people are hidden, by how they are known.
        skeletons: (17, 3) each, of the people who are drawn.
        problem: Why the whole frame is written blank.
        time: Seconds since a video's first frame.
        doubt: About it.
    """

    size: tuple[int, int] | None
    packed: bytes = b""
    known: dict[str, int] = field(default_factory=dict)
    skeletons: tuple[np.ndarray, ...] = ()
    problem: str = ""
    time: float | None = None
    doubt: Doubt = Doubt(0.0)

    def mask(self) -> np.ndarray:
        """(H, W) bool, what is hidden."""
        assert self.size is not None
        width, height = self.size
        bits = np.frombuffer(zlib.decompress(self.packed), np.uint8) if self.packed else np.zeros(0, np.uint8)
        return np.unpackbits(bits, count=width * height).astype(bool).reshape(height, width)


def plan(
    recordings: Sequence[Recording],
    searched: Sequence[Sequence[Searched]],
    passes: dict[str, int],
    settings: HideSettings,
    cameras: Sequence[Camera] | None = None,
    chunk: int = _CHUNK,
) -> list[list[FramePlan]]:
    """Decide what is hidden.

    Args:
        recordings: V recordings.
        searched: What was found in the frames of each.
        passes: Number of passes by the kind of picture.
        settings: What the user chose.
        cameras: V cameras of one world; the recordings are synchronous then.
        chunk: Frames that are looked at together, besides those around them.

    Returns:
        Of each recording, the frames.
    """
    out: list[list[FramePlan]] = [[] for _ in recordings]
    around = 2 * settings.gap + settings.hold + AROUND
    for start in range(0, max(map(len, searched), default=0), chunk):
        first = max(0, start - around)
        part = [frames[first : start + chunk + around] for frames in searched]
        planned = _plan(recordings, part, first, passes, settings, cameras)
        for frames, mine in zip(out, planned, strict=True):
            frames += mine[start - first : start - first + chunk]
    return out


def _plan(recordings, searched, first: int, passes, settings: HideSettings, cameras) -> list[list[FramePlan]]:
    """The same for frames from `first` on."""
    what = HEADS if settings.what == HEADS else PEOPLE
    everybody = [[_everybody(frame, passes, what, settings.margin) for frame in frames] for frames in searched]
    shown = [[[p for p in frame if p.score >= settings.threshold] for frame in frames] for frames in everybody]
    if cameras is not None:
        for t in range(min(map(len, searched))):
            views = [[p for p in frames[t] if p.score >= _FAINT * settings.threshold] for frames in everybody]
            depths = [_depth(one, frames[t], first + t) for one, frames in zip(recordings, searched, strict=True)]
            for frames, added in zip(shown, across_views(cameras, views, depths, what, settings.margin), strict=True):
                frames[t] = frames[t] + added
    if not settings.stills:
        rules = replace(TimeRules(), gap=settings.gap, hold=settings.hold)
        shown = [_by_size(frames, people, rules) for frames, people in zip(searched, shown, strict=True)]
    return [_frames(*rows, settings) for rows in zip(searched, shown, everybody, strict=True)]


def _everybody(frame: Searched, passes: dict[str, int], what: str, margin: float) -> list[Person]:
    if frame.size is None or frame.problem:
        return []
    found = [
        people_of(finds, passes[kind], frame.size, what, margin * (_DEPTH_MARGIN if kind == DEPTH else 1.0))
        for kind, finds in frame.finds().items()
    ]
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


def _frames(
    searched: Sequence[Searched], shown: list[list[Person]], everybody: list[list[Person]], settings: HideSettings
) -> list[FramePlan]:
    """The plans of a recording's frames."""
    counts = [sure_people([person for person in people if person.why == "found"]) for people in shown]
    out = []
    for t, (frame, people, everyone) in enumerate(zip(searched, shown, everybody, strict=True)):
        doubt, skeletons, packed = Doubt(0.0), [], b""
        # Where everything is blank, there is nothing to doubt.
        empty = settings.what == EVERYTHING and settings.background == BLANK
        if frame.size is not None and not frame.problem:
            mask = mask_of(people, frame.size)
            packed = zlib.compress(np.packbits(mask).tobytes())
            faint = [p for p in everyone if _FAINT * settings.threshold <= p.score < settings.threshold]
            around = [] if settings.stills else neighbours(counts, t)
            doubt = Doubt(0.0) if empty else doubt_of(people, faint, mask, around)
        if settings.what == EVERYTHING:
            posed = once([person for person in people if np.isfinite(person.joints).any()])
            skeletons = [person.joints for person in posed if person.score >= _DRAWN]
        known = dict(Counter(person.why for person in people))
        out.append(FramePlan(frame.size, packed, known, tuple(skeletons), frame.problem, frame.time, doubt))
    return out
