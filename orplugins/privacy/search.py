"""The first pass over recordings: what the detectors find in every frame, noted so that a killed job can go on."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from orplugins.io.resume_log import Journal
from orplugins.privacy.finds import Finds, from_record
from orplugins.privacy.passes import Finder
from orplugins.privacy.recordings import DEPTH, Moment, Recording

COLOUR = "colour"


@dataclass(frozen=True)
class Detectors:
    """What finds people in one kind of picture.

    Attributes:
        find: Picture to finds.
        passes: How many passes it makes.
        names: Of the networks, for the report.
    """

    find: Finder
    passes: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Searched:
    """What was found in one frame.

    Attributes:
        size: (width, height); None where the frame could not be read.
        packed: Finds by the kind of picture, "colour" or "depth", in few bytes: recordings are long.
        problem: Why the frame could not be read or searched.
        time: Seconds since a video's first frame.
    """

    size: tuple[int, int] | None
    packed: dict[str, bytes]
    problem: str = ""
    time: float | None = None

    def finds(self) -> dict[str, Finds]:
        """Finds by the kind of picture."""
        return {kind: from_record(json.loads(zlib.decompress(data))) for kind, data in self.packed.items()}


def search(
    recording: Recording, detectors: dict[str, Detectors], journal: Journal, key: str, done: Callable[[], object]
) -> list[Searched]:
    """Search every frame of a recording.

    Args:
        recording: The recording.
        detectors: By the kind of picture.
        journal: Notes what is done; what is in it is not done again.
        key: What begins the recording's keys in it.
        done: Called after each frame.

    Returns:
        One for each frame.
    """
    out = []
    for t, moment in enumerate(recording.moments()):
        name = f"{key}#{t}"
        if name not in journal.items:
            journal.add(name, _search(recording, t, moment, detectors))
        out.append(_searched(journal.items[name]))
        journal.items[name] = None  # JSON values of a long recording would fill the memory
        done()
    return out


def _search(recording: Recording, t: int, moment: Moment, detectors: dict[str, Detectors]) -> dict:
    picture = moment.picture
    if picture is None:
        return _record(None, {}, moment.problem, moment.time)
    size = (picture.shape[1], picture.shape[0])
    pictures = {DEPTH if recording.kind == DEPTH else COLOUR: picture}
    if recording.depth is not None:
        depth, problem = depth_at(recording, t, size)
        if depth is None:
            return _record(size, {}, problem, moment.time)
        pictures[DEPTH] = depth
    found: dict[str, Finds] = {}
    try:
        for kind, image in pictures.items():
            if kind in detectors:
                found[kind] = detectors[kind].find(image)
    except Exception as error:  # whatever a network raises: this frame becomes blank and is reported, others go on
        return _record(size, {}, f"{frame_of(recording, t)}: {type(error).__name__}: {error}", moment.time)
    return _record(size, found, "", moment.time)


def depth_at(recording: Recording, t: int, size: tuple[int, int]) -> tuple[np.ndarray | None, str]:
    """The depth image that goes with a frame, on its pixels, or why there is none.

    Args:
        recording: With depth.
        t: Number of the frame.
        size: (width, height) of the frame's picture.
    """
    assert recording.depth is not None
    if t >= len(recording.depth.paths):
        return None, f"{frame_of(recording, t)}: no depth image, there are {len(recording.depth.paths)}"
    moment = recording.depth.at(t)
    if moment.picture is not None and moment.picture.shape[::-1] != tuple(size):
        height, width = moment.picture.shape
        path = recording.depth.paths[t]
        return None, f"{path}: {width}x{height} pixels, expected {size[0]}x{size[1]} as of the picture"
    return moment.picture, moment.problem


def frame_of(recording: Recording, t: int) -> str:
    """A frame as messages call it.

    Args:
        recording: The recording.
        t: Number of the frame.
    """
    return f"{recording.name}/{recording.names[t]}" if t < len(recording.names) else f"{recording.name}#{t:06d}"


def _record(size: tuple[int, int] | None, found: dict[str, Finds], problem: str, time: float | None) -> dict:
    return {"size": size, "finds": {k: each.record() for k, each in found.items()}, "problem": problem, "time": time}


def _searched(record: dict) -> Searched:
    size: Sequence[int] | None = record["size"]
    packed = {kind: zlib.compress(json.dumps(rows).encode()) for kind, rows in record["finds"].items()}
    return Searched((size[0], size[1]) if size else None, packed, record["problem"], record["time"])
