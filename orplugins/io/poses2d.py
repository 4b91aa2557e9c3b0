"""2D poses of a recording from whatever file they are in: the one reader that every tool uses."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from orplugins.io.coco_poses import read_coco_poses, read_image_names, read_refined_poses
from orplugins.io.frame_clock import FrameClock, frame_clock
from orplugins.io.frame_names import path_parts
from orplugins.io.images import natural_key
from orplugins.io.json_fields import load_json
from orplugins.io.mmpose_results import is_prediction, read_prediction_folder, read_predictions
from orplugins.io.openpose import is_openpose_folder, read_openpose_files
from orplugins.io.pixel_scale import WORDS, check_extent, detect_scale, fills_a_quarter, known_joints, to_pixels
from orplugins.skeletons import Skeleton
from orplugins.structures import Poses2D, Size


@dataclass(frozen=True)
class PoseFrames:
    """2D poses of a recording's frames.

    Attributes:
        path: The file or folder.
        frames: In the file's order; of a folder, by name.
        notes: How units were understood, and what was left out.
        failed: One line for each file of a folder that could not be read.
    """

    path: str
    frames: tuple[Poses2D, ...]
    notes: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()

    @property
    def joints(self) -> np.ndarray:
        """(N, 2) pixels of every joint that is there."""
        return known_joints([frame.filled() for frame in self.frames])

    @property
    def skeleton(self) -> Skeleton | None:
        """The joint set of the people, None where there is nobody."""
        return next((frame.skeleton for frame in self.frames if len(frame.keypoints)), None)


def read_poses2d(
    path: str | os.PathLike,
    size: Size | None = None,
    keypoint_scale: int | None = None,
    annotations: str | os.PathLike | None = None,
) -> PoseFrames:
    """Read 2D poses.

    Args:
        path: A folder of OpenPose's ``*_keypoints.json`` or of mmpose's predictions of images; a JSON file: one of
            those, mmpose's predictions of a video, a COCO result list, COCO annotations, or what our own tools write
            (``poses.json``, ``poses3d.json``).
        size: (width, height) of the images, where the file does not say.
        keypoint_scale: OpenPose's option of that name; None: detected, which needs the size.
        annotations: COCO file that names the images of a result list's ids.

    Returns:
        The frames, in pixels. A joint set is known by the names in the file, or else by the number of joints.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: One line with file, entry, field, found and expected; also where joints lie outside the images, and
            where nobody is in any frame.
    """
    path = Path(path)
    if is_openpose_folder(path):
        read = _openpose(path, size, keypoint_scale)
    elif path.is_dir():
        frames, failed = read_prediction_folder(path)
        read = PoseFrames(str(path), tuple(frames), (), tuple(failed))
    else:
        read = PoseFrames(str(path), tuple(_file(path, annotations)))
    if not len(read.joints):
        more = f"; {len(read.failed)} files could not be read, the first: {read.failed[0]}" if read.failed else ""
        raise ValueError(f"{path}: nobody in any of {len(read.frames)} frames{more}")
    read = read if keypoint_scale == 0 else _in_pixels(read, size)
    by_size: dict[Size, list[np.ndarray]] = {}
    for frame in read.frames:
        known = frame.size or size
        if known is not None:
            by_size.setdefault(known, []).append(frame.filled())
    notes = []
    for known, people in by_size.items():
        joints = known_joints(people)
        check_extent(joints, known, str(path))
        if fills_a_quarter(joints, known):
            size_text = f"{known[0]}x{known[1]}"
            notes.append(
                f"{path}: all joints lie in the upper left quarter of {size_text}: of images of half the size?"
            )
    return replace(read, notes=(*read.notes, *notes))


def _openpose(folder: Path, size: Size | None, keypoint_scale: int | None) -> PoseFrames:
    named, skeleton, notes, failed = read_openpose_files(folder, size, keypoint_scale, broken="skip")
    frames = []
    for each in named:
        there = each.people[..., 2:] > 0
        people = np.where(there, each.people, np.nan)[there.any((1, 2))]  # none without a single joint
        frames.append(Poses2D(each.name, people, skeleton, each.number, size))
    return PoseFrames(str(folder), tuple(frames), tuple(notes), tuple(failed))


def _file(path: Path, annotations: str | os.PathLike | None) -> list[Poses2D]:
    content = load_json(path)
    if is_prediction(content):
        return read_predictions(content, path)
    if isinstance(content, dict) and "people" in content and "images" not in content:
        raise ValueError(f"{path}: one file of OpenPose, expected the folder that it lies in")
    if isinstance(content, dict) and "frames" in content and "skeleton" in content:
        return read_refined_poses(content, path)
    names = read_image_names(Path(annotations)) if annotations and isinstance(content, list) else None
    return read_coco_poses(content, path, names)


def _in_pixels(read: PoseFrames, size: Size | None) -> PoseFrames:
    scale = detect_scale(read.joints)
    if not scale:
        return read
    sizes = {frame.size or size for frame in read.frames}
    known = next(iter(sizes))
    if len(sizes) > 1 or known is None:
        raise ValueError(f"{read.path}: all coordinates are {WORDS[scale]}, not pixels: the image size is needed")
    frames = [replace(frame, keypoints=to_pixels(frame.keypoints, known, scale)) for frame in read.frames]
    note = f"{read.path}: coordinates are {WORDS[scale]}, taken as of {known[0]}x{known[1]} pixels"
    return replace(read, frames=tuple(frames), notes=(*read.notes, note))


def one_sequence(read: PoseFrames, folder: str | None = None) -> PoseFrames:
    """Take the frames of one camera or video, in order of time.

    Args:
        read: What was read.
        folder: Of the images, where the file names those of several: its name, or the end of its path.

    Returns:
        Frames with numbers, sorted by them; where names hold none, their natural order counts.

    Raises:
        ValueError: Images of several folders and no choice, or a choice that is not there.
    """
    folders: dict[tuple[str, ...], list[Poses2D]] = {}
    for frame in read.frames:
        folders.setdefault(path_parts(frame.frame)[:-1], []).append(frame)
    wanted = path_parts(folder) if folder else None
    chosen = [key for key in folders if wanted is None or key[-len(wanted) :] == wanted]
    if len(chosen) != 1:
        found = ", ".join("/".join(key) or "." for key in list(folders)[:8])
        choice = (
            f"{folder!r} is {'none' if not chosen else 'several'} of them" if folder else "expected a choice of one"
        )
        raise ValueError(f"{read.path}: images of {len(folders)} folders ({found}): {choice}")
    frames = sorted(folders[chosen[0]], key=lambda frame: natural_key(frame.frame))
    if any(frame.number is None for frame in frames):
        frames = [replace(frame, number=number) for frame, number in zip(frames, _numbers(frames), strict=True)]
    frames.sort(key=lambda frame: frame.number or 0)
    return replace(read, frames=tuple(frames))


def _numbers(frames: list[Poses2D]) -> list[int]:
    """The numbers at the end of the frames' names, or their places where the names hold none."""
    stems = [path_parts(frame.frame, suffix=False)[-1] for frame in frames]
    found = [re.search(r"(\d{1,19})$", stem) for stem in stems]
    numbers = [int(match[1]) for match in found if match]
    before = {stem[: match.start()] for stem, match in zip(stems, found, strict=True) if match}
    if len(numbers) == len(frames) and len(set(numbers)) == len(numbers) and len(before) == 1:
        return numbers
    return list(range(len(frames)))


def sequence_clock(read: PoseFrames, fps: float | None = None) -> FrameClock:
    """Understand the frame numbers of one camera's frames (see `one_sequence`), as `frame_clock` does."""
    return frame_clock([frame.number or 0 for frame in read.frames], read.path, fps)
