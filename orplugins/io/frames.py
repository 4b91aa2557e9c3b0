"""Images, folders and videos as one sequence of named frames."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from orplugins.io.images import image_files, natural_key, read_image
from orplugins.io.video import VIDEO_SUFFIXES, probe_video, read_timed_video


@dataclass(frozen=True)
class Source:
    """An image, or a video.

    Attributes:
        path: The file.
        is_video: Whether it is a video.
        count: Number of frames, as far as a video's header tells.
        fps: Frames per second; None for an image.
        key: What names it among the sources: the shortest end of its path that no other has, with ``/``; a video's is
            without suffix. "" stands for the last part.
    """

    path: Path
    is_video: bool
    count: int
    fps: float | None = None
    key: str = ""

    @property
    def name(self) -> str:
        """The key."""
        return self.key or (self.path.stem if self.is_video else self.path.name)

    def frame_name(self, index: int) -> str:
        """Name of a frame, unique among the sources.

        Args:
            index: Number of the frame, from 0 on.

        Returns:
            An image's key, or a video's with the frame's number.
        """
        return f"{self.name}_{index:06d}.jpg" if self.is_video else self.name

    def signature(self) -> list:
        """Path, size in bytes and time of change: what tells another recording of the same name."""
        try:
            status = os.stat(self.path)
        except OSError:
            return [os.path.abspath(self.path), None, None]
        return [os.path.abspath(self.path), status.st_size, status.st_mtime_ns]


@dataclass(frozen=True)
class Frame:
    """One frame of a source.

    Attributes:
        name: See `Source.frame_name`.
        image: (H, W, 3) uint8 BGR; None if it was not wanted, or could not be read.
        problem: Why it could not be read.
        time: Seconds since a video's first frame; None for an image.
    """

    name: str
    image: np.ndarray | None
    problem: str | None = None
    time: float | None = None


def find_sources(inputs: Sequence[str | os.PathLike], below: bool = False) -> tuple[list[Source], list[str]]:
    """Find the images and videos that files, folders and patterns stand for.

    Args:
        inputs: Files, folders and glob patterns.
        below: Include the subfolders of folders.

    Returns:
        Sources, each input's in natural order; and one line for each input that is unusable.

    Raises:
        ValueError: A file is given twice, or two would give frames of the same name.
    """
    sources: list[Source] = []
    problems: list[str] = []
    for entry in inputs:
        found = [Path(entry)]
        if not found[0].exists() and glob.has_magic(str(entry)):
            found = sorted(map(Path, glob.glob(str(entry))), key=natural_key)
            problems += [] if found else [f"{entry}: no file matches"]
        for path in found:
            try:
                sources += _sources(path, below)
            except (OSError, ValueError) as error:
                problems.append(str(error))
    return _with_keys(sources), problems


def _sources(path: Path, below: bool) -> list[Source]:
    if path.is_dir():
        return [Source(file, False, 1) for file in image_files(path, below)]
    if path.suffix.lower() in VIDEO_SUFFIXES:
        info = probe_video(path)
        return [Source(path, True, info.frames, info.fps)]
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file, expected an image, a video or a folder of images")
    return [Source(path, False, 1)]


def outside(sources: Sequence[Source], folder: str | os.PathLike) -> list[Source]:
    """Leave out what lies in a folder: a job's output is not its input when it is run again.

    Args:
        sources: The sources.
        folder: The folder, which need not be there.

    Returns:
        The others, with keys of their own.
    """
    base = os.path.join(os.path.abspath(folder), "")
    return _with_keys([source for source in sources if not os.path.abspath(source.path).startswith(base)])


def unique_tails(paths: Sequence[str | os.PathLike]) -> list[str]:
    """The shortest end of each path that no other path has, with ``/``.

    Args:
        paths: Paths of files.

    Returns:
        One name a path; none is absolute or has ``..`` in it.

    Raises:
        ValueError: A file is given twice.
    """
    parts = [[p for p in Path(os.path.normpath(os.path.abspath(path))).parts[1:]] for path in paths]
    lengths = [1] * len(parts)
    while True:
        tails = ["/".join(part[-n:]) for part, n in zip(parts, lengths, strict=True)]
        groups: dict[str, list[int]] = {}
        for k, tail in enumerate(tails):
            groups.setdefault(tail, []).append(k)
        equal = [k for group in groups.values() if len(group) > 1 for k in group]
        if not equal:
            return tails
        grow = [k for k in equal if lengths[k] < len(parts[k])]
        if not grow:
            raise ValueError(f"{paths[equal[0]]}: is given twice, expected each once")
        for k in grow:
            lengths[k] += 1


def _with_keys(sources: list[Source]) -> list[Source]:
    keys = unique_tails([source.path.with_suffix("") if source.is_video else source.path for source in sources])
    keyed = [replace(source, key=key) for source, key in zip(sources, keys, strict=True)]
    videos = {source.name for source in keyed if source.is_video}
    for source in keyed:  # an image that is named as a frame of a video would be
        match = re.fullmatch(r"(.*)_\d{6,}\.jpg", source.name)
        if match and match[1] in videos and not source.is_video:
            raise ValueError(f"{source.path}: a frame of the video {match[1]} would have the same name")
    return keyed


def read_frames(source: Source, done: set[str] | frozenset[str] = frozenset()) -> Iterator[Frame]:
    """Read the frames of a source.

    What cannot be read comes as a frame with a problem: an image under its own name, the end of a damaged video under
    the name of the frame that is missing first.

    Args:
        source: The image or video.
        done: Names of frames that are wanted without their image.

    Yields:
        Frames in order.
    """
    if not source.is_video:
        name = source.frame_name(0)
        if name in done:
            yield Frame(name, None)
            return
        try:
            yield Frame(name, read_image(source.path))
        except (OSError, ValueError) as error:
            yield Frame(name, None, str(error))
        return
    index = 0
    try:
        for image, time in read_timed_video(source.path):
            name = source.frame_name(index)
            yield Frame(name, None if name in done else image, time=time)
            index += 1
    except (OSError, ValueError) as error:
        yield Frame(source.frame_name(index), None, str(error))
