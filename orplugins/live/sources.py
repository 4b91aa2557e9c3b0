"""Sources by what a user writes: ``NAME=KIND:PLACE``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from orplugins.live.frames import Source
from orplugins.live.k4a import KinectAzureSource
from orplugins.live.realsense import RealSenseSource
from orplugins.live.replay import Pace, ReplaySource
from orplugins.live.rosbag import RosBagSource

FORMS = "PATH, realsense:[SERIAL or FILE.bag], k4a:[NUMBER or FILE.mkv], rosbag:PATH[#/topic[,/topic]]"


def find_live_sources(
    texts: Sequence[str], pace: Pace, fps: float | None = None, depth_unit_mm: float = 1.0
) -> list[Source]:
    """Make sources; nothing is opened yet.

    Args:
        texts: One a camera: ``[NAME=]`` and one of `FORMS`.
        pace: Of all recordings.
        fps: Of recordings that do not say, and what devices are asked for.
        depth_unit_mm: Of folders of depth images.

    Returns:
        The sources; names are those given, or made of the place.

    Raises:
        ValueError: A text of another form, or two cameras of one name.
    """
    if not texts:
        raise ValueError(f"no --source, expected one or more of {FORMS}")
    sources: list[Source] = []
    for text in texts:
        given, place = _name(text)
        kind, _, rest = place.partition(":")
        if kind == "realsense":
            recording = rest if rest.endswith(".bag") else None
            name = given or f"realsense{'_' + Path(rest).stem if rest else ''}"
            sources.append(RealSenseSource(name, "" if recording else rest, recording, fps=round(fps or 30)))
        elif kind == "k4a":
            if rest.endswith(".mkv"):
                sources.append(KinectAzureSource(given or Path(rest).stem, recording=rest))
            elif re.fullmatch(r"\d*", rest):
                sources.append(KinectAzureSource(given or f"k4a{rest or 0}", int(rest or 0), fps=round(fps or 15)))
            else:
                raise ValueError(f"--source {text}: found {rest!r}, expected a device's number or a .mkv file")
        elif kind == "rosbag":
            path, _, topics = rest.partition("#")
            chosen = tuple(topic for topic in topics.split(",") if topic)
            name = given or (chosen[0].strip("/").replace("/", "_") if chosen else Path(path).stem)
            sources.append(RosBagSource(name, path, chosen, pace))
        else:
            recorded = Path(place)
            name = given or (recorded.stem if recorded.suffix else recorded.resolve().name)
            sources.append(ReplaySource(name, recorded, pace, fps, depth_unit_mm))
    names = [source.name for source in sources]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"--source: two cameras are called {twice[0]!r}: name them, NAME=PLACE")
    return sources


def _name(text: str) -> tuple[str, str]:
    match = re.fullmatch(r"([\w.-]+)=(.*)", text)
    given, place = (match[1], match[2]) if match else ("", text)
    if not place.strip():
        raise ValueError(f"--source {text!r}: expected [NAME=] and {FORMS}")
    return given, place
