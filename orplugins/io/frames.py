"""Images, folders and videos as one sequence of named frames."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orplugins.io.images import image_files, natural_key, read_image
from orplugins.io.video import VIDEO_SUFFIXES, probe_video, read_video


@dataclass(frozen=True)
class Source:
    """An image, or a video.

    Attributes:
        path: The file.
        is_video: Whether it is a video.
        count: Number of frames, as far as a video's header tells.
        fps: Frames per second; None for an image.
    """

    path: Path
    is_video: bool
    count: int
    fps: float | None = None

    def frame_name(self, index: int) -> str:
        """Name of a frame, unique among the sources.

        Args:
            index: Number of the frame, from 0 on.

        Returns:
            The image's own file name, or the video's with the frame's number.
        """
        return f"{self.path.stem}_{index:06d}.jpg" if self.is_video else self.path.name


@dataclass(frozen=True)
class Frame:
    """One frame of a source.

    Attributes:
        name: See `Source.frame_name`.
        image: (H, W, 3) uint8 BGR; None if it was not wanted, or could not be read.
        problem: Why it could not be read.
    """

    name: str
    image: np.ndarray | None
    problem: str | None = None


def find_sources(inputs: Sequence[str | os.PathLike]) -> tuple[list[Source], list[str]]:
    """Find the images and videos that files, folders and patterns stand for.

    Args:
        inputs: Files, folders and glob patterns.

    Returns:
        Sources, each input's in natural order; and one line for each input that is unusable.

    Raises:
        ValueError: Two sources would give frames of the same name.
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
                sources += _sources(path)
            except (OSError, ValueError) as error:
                problems.append(str(error))
    names: dict[str, Path] = {}
    for source in sources:
        key = source.path.stem if source.is_video else source.path.name
        if key in names:
            raise ValueError(f"{source.path} and {names[key]}: frames would have the same name; run them separately")
        names[key] = source.path
    return sources, problems


def _sources(path: Path) -> list[Source]:
    if path.is_dir():
        return [Source(file, False, 1) for file in image_files(path)]
    if path.suffix.lower() in VIDEO_SUFFIXES:
        info = probe_video(path)
        return [Source(path, True, info.frames, info.fps)]
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file, expected an image, a video or a folder of images")
    return [Source(path, False, 1)]


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
        for image in read_video(source.path):
            name = source.frame_name(index)
            yield Frame(name, None if name in done else image)
            index += 1
    except (OSError, ValueError) as error:
        yield Frame(source.frame_name(index), None, str(error))
