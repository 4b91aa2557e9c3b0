"""People and intrinsics of a calibration from files: a file a camera, or one file with the images of all cameras."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from orplugins.geometry.cameras import Camera, cameras_from_mvor
from orplugins.io.calibration import read_cameras
from orplugins.io.frame_names import last_number, path_parts
from orplugins.io.images import natural_key
from orplugins.io.json_fields import load_json
from orplugins.io.poses2d import PoseFrames, one_sequence, read_poses2d, sequence_clock
from orplugins.skeletons import COCO_17, convert
from orplugins.structures import Poses2D

Size = tuple[int, int]
# Between the recordings that one file holds: frames on either side are no neighbours.
PAUSE = 1_000_000
_MOST_CAMERAS = 64
_FIRST_FOCAL = 0.85  # of the longer side, before it is found


@dataclass(frozen=True, eq=False)
class Recording:
    """What the files hold.

    Attributes:
        people: Of each camera {frame: (N, 17, 3) COCO-17, zeros where missing}.
        images: Of each camera {frame: name of the image}.
        cameras: Intrinsics.
        names: One a camera.
        focal: The intrinsics are known.
        notes: What was taken for granted.
        failed: One line for each file that could not be read.
    """

    people: list[dict[int, np.ndarray]]
    images: list[dict[int, str]]
    cameras: list[Camera]
    names: list[str]
    focal: bool
    notes: list[str]
    failed: list[str]


def read_recording(
    paths: Sequence[str | os.PathLike],
    intrinsics: Sequence[str | os.PathLike] = (),
    size: Size | None = None,
    annotations: str | os.PathLike | None = None,
    folders: Sequence[str] = (),
) -> Recording:
    """Read people and intrinsics.

    Args:
        paths: 2D poses, a file or folder a camera, in any form of `orplugins.io.poses2d.read_poses2d`; or one file with
            the images of all cameras, each camera's in a folder of its own.
        intrinsics: Calibration files: one with all cameras, or one a camera; MVOR's annotation file counts as one.
            None: found from the people.
        size: (width, height) of the images, where no file says it.
        annotations: COCO file that names the images of result lists.
        folders: One file with all cameras: the parts of the images' paths that tell the cameras apart, in order.

    Returns:
        What was read.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: One line with file, entry, field, found and expected.
    """
    cameras, notes = read_intrinsics(intrinsics, size)
    sizes: list[Size | None] = [c.size for c in cameras] if cameras else [size]
    if len(paths) == 1:
        read = read_poses2d(paths[0], sizes[0], annotations=annotations)
        split, names = _split(read, folders)
        notes += read.notes
        failed = list(read.failed)
    else:
        if folders:
            raise ValueError(f"{len(paths)} files and {len(folders)} camera folders, expected folders of one file")
        wanted = sizes if len(sizes) == len(paths) else [sizes[0]] * len(paths)
        every = [one_sequence(read_poses2d(p, s, annotations=annotations)) for p, s in zip(paths, wanted, strict=True)]
        _check_different(paths, every)
        split, names = [_numbered(read) for read in every], _names(paths)
        notes += [note for read in every for note in read.notes]
        failed = [line for read in every for line in read.failed]
    if cameras and len(cameras) != len(split):
        raise ValueError(f"{len(split)} cameras have people, {len(cameras)} have intrinsics: expected as many")
    if not cameras:
        cameras = [_guessed(frames, size, name) for frames, name in zip(split, names, strict=True)]
    people = [{n: convert(f.filled(), f.skeleton, COCO_17) for n, f in frames.items()} for frames in split]
    images = [{n: f.frame for n, f in frames.items()} for frames in split]
    return Recording(people, images, cameras, names, bool(intrinsics), notes, failed)


def read_intrinsics(paths: Sequence[str | os.PathLike], size: Size | None) -> tuple[list[Camera], list[str]]:
    """Cameras of calibration files, and what was taken for granted.

    Args:
        paths: Files.
        size: (width, height) of the images, to scale to.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: See `orplugins.io.calibration.read_cameras`.
    """
    cameras: list[Camera] = []
    notes: list[str] = []
    for path in paths:
        content = load_json(Path(path)) if Path(path).suffix.lower() == ".json" and Path(path).is_file() else None
        if isinstance(content, dict) and "cameras_info" in content:
            params = content["cameras_info"].get("camParams") if isinstance(content["cameras_info"], dict) else None
            if not isinstance(params, dict):
                raise ValueError(f"{path}: cameras_info: 'camParams' is missing")
            try:
                found = cameras_from_mvor(params)
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from None
            cameras += [replace(camera, distortion=(), distortion_order="opencv") for camera in found]
            notes.append(f"{path}: MVOR's distortion numbers are left out: they do not describe its images")
        else:
            rig = read_cameras(path, size)
            cameras += rig.cameras
            notes += rig.notes
    return cameras, notes


def _numbered(read: PoseFrames) -> dict[int, Poses2D]:
    clock = sequence_clock(read)
    return {int(place): frame for place, frame in zip(clock.index, read.frames, strict=True)}


def _check_different(paths: Sequence[str | os.PathLike], every: Sequence[PoseFrames]) -> None:
    for k, path in enumerate(paths):
        for other in range(k):
            same = os.path.realpath(path) == os.path.realpath(paths[other])
            a, b = every[k].frames, every[other].frames
            equal = len(a) == len(b) and all(
                np.array_equal(x.keypoints, y.keypoints, equal_nan=True) for x, y in zip(a, b, strict=True)
            )
            if same or equal:
                raise ValueError(f"view {other + 1} and view {k + 1} hold the same people: {paths[other]}, {path}")


def _names(paths: Sequence[str | os.PathLike]) -> list[str]:
    stems = [Path(path).stem for path in paths]
    return stems if len(set(stems)) == len(stems) else [f"camera{i + 1}" for i in range(len(stems))]


def _split(read: PoseFrames, folders: Sequence[str]) -> tuple[list[dict[int, Poses2D]], list[str]]:
    """Frames of each camera of one file, with numbers that are the same in all of them."""
    parts = [path_parts(frame.frame, suffix=False) for frame in read.frames]
    if not folders:
        place = _camera_place(parts, read.path)
        folders = sorted({p[place] for p in parts}, key=natural_key)
    else:
        places = [k for k in range(max(map(len, parts)) - 1) if {p[k] for p in parts if k < len(p) - 1} >= set(folders)]
        if not places:
            raise ValueError(f"{read.path}: no image lies in folders named {', '.join(folders)}")
        place = places[0]
    keyed: list[dict[tuple[str, ...], Poses2D]] = [{} for _ in folders]
    for frame, p in zip(read.frames, parts, strict=True):
        if place < len(p) - 1 and p[place] in folders:
            keyed[list(folders).index(p[place])][(*p[:place], *p[place + 1 :])] = frame
    numbers = _numbers({key for camera in keyed for key in camera})
    return [
        {numbers[key]: frame for key, frame in sorted(camera.items(), key=lambda kv: numbers[kv[0]])}
        for camera in keyed
    ], list(folders)


def _camera_place(parts: Sequence[tuple[str, ...]], path: str) -> int:
    """The part of the paths that tells cameras apart: the one but for which most images have a namesake."""
    best, most = -1, 0.0
    for place in range(min(map(len, parts)) - 1):
        values = {p[place] for p in parts}
        if not 2 <= len(values) <= _MOST_CAMERAS:
            continue
        rest: dict[tuple[str, ...], int] = {}
        for p in parts:
            key = (*p[:place], *p[place + 1 :])
            rest[key] = rest.get(key, 0) + 1
        shared = sum(n for n in rest.values() if n > 1) / len(parts)
        named = all(any(word in value.lower() for word in ("cam", "view", "kinect")) for value in values)
        if shared + named > most and shared > 0.2:
            best, most = place, shared + named
    if best < 0:
        raise ValueError(
            f"{path}: one file, and its images do not lie in a folder a camera: expected a file a camera (--view, "
            "again and again), or the folders' names (--camera-folders); result lists need --annotations to name images"
        )
    return best


def _numbers(keys: set[tuple[str, ...]]) -> dict[tuple[str, ...], int]:
    """Numbers of frames: those of the images within a folder, far from those of the next folder."""
    found: dict[tuple[str, ...], int] = {}
    start = 0
    for folder in sorted({key[:-1] for key in keys}, key=lambda k: natural_key("/".join(k))):
        inside = sorted((key for key in keys if key[:-1] == folder), key=lambda k: natural_key(k[-1]))
        numbers = [last_number(key[-1]) for key in inside]
        known = [n for n in numbers if n is not None]
        usable = len(known) == len(inside) == len(set(known)) and max(known) - min(known) < PAUSE
        own = [n - min(known) for n in known] if usable else list(range(len(inside)))
        found |= {key: start + n for key, n in zip(inside, own, strict=True)}
        start += max(own) + PAUSE
    return found


def _guessed(frames: dict[int, Poses2D], size: Size | None, name: str) -> Camera:
    """A camera with the focal length of usual ones."""
    known = size or next((frame.size for frame in frames.values() if frame.size), None)
    if known is None:
        raise ValueError(f"{name}: neither intrinsics (--intrinsics) nor the images' size (--image-size) are known")
    focal = _FIRST_FOCAL * max(known)
    return Camera(focal, focal, (known[0] - 1) / 2, (known[1] - 1) / 2, known)
