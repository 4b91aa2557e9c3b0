"""What is hidden in: folders of pictures, folders of depth images, videos; one of each camera."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from orplugins.depth.png import is_depth_png, load_depth
from orplugins.io.frames import Source, read_frames, unique_tails
from orplugins.io.images import IMAGE_SUFFIXES, image_files, read_image
from orplugins.io.video import VIDEO_SUFFIXES, probe_video

PICTURES, DEPTH, VIDEO = "pictures", "depth", "video"


@dataclass(frozen=True)
class Moment:
    """A frame as it was read.

    Attributes:
        picture: (H, W, 3) uint8 BGR or (H, W) uint16 millimetres; None where it could not be read.
        problem: Why not.
        time: Seconds since a video's first frame; None of pictures.
    """

    picture: np.ndarray | None
    problem: str = ""
    time: float | None = None


@dataclass(frozen=True)
class Recording:
    """What one camera recorded.

    Attributes:
        name: The shortest end of its path that no other has, without suffix.
        kind: "pictures", "depth" or "video".
        paths: Its files in order; a video is one.
        names: Of its files or, of a video's frames, none.
        fps: Of a video.
        unit_mm: Millimetres a count of depth images.
        depth: Depth images on the pixels of the pictures, if there are any.
    """

    name: str
    kind: str
    paths: tuple[Path, ...]
    names: tuple[str, ...] = ()
    fps: float | None = None
    unit_mm: float = 1.0
    depth: Recording | None = None

    def moments(self) -> Iterator[Moment]:
        """Every frame in order; what cannot be read comes as a problem, and ends a video."""
        if self.kind != VIDEO:
            yield from map(self.at, range(len(self.paths)))
            return
        for frame in read_frames(Source(self.paths[0], True, 0, self.fps)):
            yield Moment(frame.image, frame.problem or "", frame.time)

    def at(self, t: int) -> Moment:
        """One frame of a folder.

        Args:
            t: Its number.
        """
        path = self.paths[t]
        try:
            return Moment(load_depth(path, unit_mm=self.unit_mm) if self.kind == DEPTH else read_image(path))
        except (OSError, ValueError) as error:
            return Moment(None, str(error))

    def first_size(self) -> tuple[int, int] | None:
        """(width, height) of the first frame; None where it cannot be read."""
        if self.kind == VIDEO:
            return probe_video(self.paths[0]).size
        picture = self.at(0).picture
        return None if picture is None else (picture.shape[1], picture.shape[0])

    def signature(self) -> list:
        """What tells another recording of the same name: path, size and time of change of each file."""
        return [Source(path, False, 1).signature() for path in self.paths]


def find_recordings(
    inputs: Sequence[str | os.PathLike], depths: Sequence[str | os.PathLike] = (), unit_mm: float = 1.0
) -> list[Recording]:
    """The recordings that paths stand for.

    Args:
        inputs: Videos, pictures, and folders: the pictures of a folder, and of each folder below it, are a recording.
        depths: None, or for each recording a folder of depth images on its pictures' pixels.
        unit_mm: Millimetres a count of depth images.

    Returns:
        The recordings in the order of the inputs.

    Raises:
        FileNotFoundError: No such file or folder, or no picture in it.
        ValueError: Neither a video, nor a picture, nor a folder; a folder of both depth and colour; depth images that
            do not fit the recordings.
    """
    found = [each for entry in inputs for each in _recordings(Path(entry), unit_mm)]
    if not found:
        raise ValueError("no recording: expected videos, folders of pictures or folders of depth images")
    if depths:
        found = _with_depth(found, [each for entry in depths for each in _recordings(Path(entry), unit_mm)])
    everything = [each for one in found for each in (one, one.depth) if each is not None]
    tails = dict(zip(map(id, everything), unique_tails([each.name for each in everything]), strict=True))
    return [
        replace(one, name=tails[id(one)], depth=one.depth and replace(one.depth, name=tails[id(one.depth)]))
        for one in found
    ]


def numbered(recordings: Sequence[Recording]) -> list[Recording]:
    """The recordings with numbers for names: names of files may say who was recorded, and when.

    Args:
        recordings: The recordings.
    """
    out = []
    for k, each in enumerate(recordings, start=1):
        depth = each.depth and replace(_renamed(each.depth), name=f"depth{k}")
        out.append(replace(_renamed(each), name=f"recording{k}", depth=depth))
    return out


def _renamed(recording: Recording) -> Recording:
    names = tuple(f"{t:06d}{path.suffix.lower()}" for t, path in enumerate(recording.paths))
    return replace(recording, names=names if recording.kind != VIDEO else ())


def _recordings(path: Path, unit_mm: float) -> list[Recording]:
    if path.is_dir():
        folders: dict[Path, list[Path]] = {}
        for file in image_files(path, below=True):
            folders.setdefault(file.parent, []).append(file)
        return [_folder(folder, files, unit_mm) for folder, files in folders.items()]
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder")
    if path.suffix.lower() in VIDEO_SUFFIXES:
        return [Recording(str(path.with_suffix("")), VIDEO, (path,), (), probe_video(path).fps)]
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return [_folder(path.with_suffix(""), [path], unit_mm)]
    raise ValueError(f"{path}: found suffix '{path.suffix}', expected a video, a picture or a folder of pictures")


def _folder(place: Path, files: Sequence[Path], unit_mm: float) -> Recording:
    deep = [file.suffix.lower() == ".png" and is_depth_png(file) for file in files]
    if any(deep) and not all(deep):
        odd = files[deep.index(not deep[0])]
        raise ValueError(f"{odd.parent}: holds both depth images and pictures ({odd.name}), expected a folder of each")
    kind = DEPTH if deep[0] else PICTURES
    return Recording(str(place), kind, tuple(files), tuple(file.name for file in files), unit_mm=unit_mm)


def _with_depth(recordings: Sequence[Recording], depths: Sequence[Recording]) -> list[Recording]:
    if len(depths) != len(recordings):
        raise ValueError(f"--depth: found {len(depths)} folders, expected {len(recordings)}, one a recording")
    for recording, depth in zip(recordings, depths, strict=True):
        where = depth.paths[0].parent
        if depth.kind != DEPTH or recording.kind == DEPTH:
            raise ValueError(
                f"{where}: found {depth.kind} for {recording.kind}, expected depth for pictures or a video"
            )
        if recording.kind == PICTURES and len(depth.paths) != len(recording.paths):
            raise ValueError(
                f"{where}: {len(depth.paths)} depth images, expected {len(recording.paths)} as of pictures"
            )
        sizes = recording.first_size(), depth.first_size()
        if None not in sizes and sizes[0] != sizes[1]:
            raise ValueError(f"{where}: depth images of {sizes[1]} pixels, expected {sizes[0]} as of the pictures")
    return [replace(one, depth=depth) for one, depth in zip(recordings, depths, strict=True)]


def require_apart(inputs: Sequence[str | os.PathLike], out: str | os.PathLike) -> None:
    """Refuse an output folder that is an input, holds one or lies in one.

    Args:
        inputs: Files and folders.
        out: The folder, which need not be there.

    Raises:
        ValueError: It is, holds or does; the input is named.
    """
    place = Path(out).resolve()
    for entry in inputs:
        own = Path(entry).resolve()
        if place == own or own in place.parents or place in own.parents:
            raise ValueError(f"{out}: is, holds or lies in the input {entry}, expected another place")
