"""Which depth image belongs to which frame of 2D poses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orplugins.io.frame_clock import frame_clock
from orplugins.io.frame_names import last_number, match_frames, path_parts
from orplugins.io.images import natural_key
from orplugins.io.poses2d import PoseFrames
from orplugins.structures import Poses2D


@dataclass(frozen=True)
class DepthFrames:
    """Frames of poses with their depth images.

    Attributes:
        pairs: (frame, file), in order.
        missing: {name: reason} of frames of this camera without a depth image.
        notes: What was left out.
    """

    pairs: list[tuple[Poses2D, Path]]
    missing: dict[str, str]
    notes: list[str]


def short_name(frame: Poses2D) -> str:
    """Return the last part of a frame's path without its suffix."""
    parts = path_parts(frame.frame, suffix=False)
    return parts[-1] if parts else frame.frame


def depth_files(folder: Path) -> list[Path]:
    """Return the PNG files of a folder in natural order.

    Raises:
        FileNotFoundError: No such folder, or none in it.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder, expected one of depth images")
    files = [path for path in folder.iterdir() if path.suffix.lower() == ".png" and path.name[0] != "."]
    if not files:
        raise FileNotFoundError(f"{folder}: no PNG file, expected depth images")
    return sorted(files, key=lambda path: natural_key(path.name))


def pair_depth(read: PoseFrames, files: Sequence[Path]) -> DepthFrames:
    """Pair frames and depth images by their paths, or else by the numbers in their names.

    Args:
        read: The frames.
        files: Depth images of one camera.

    Returns:
        The pairs. Frames of folders from which none belongs to an image (other cameras) are left out with a note; of
        the others, a frame without an image is missing.

    Raises:
        ValueError: No frame belongs to any image.
    """
    frames = list(read.frames)
    found = match_frames([frame.frame for frame in frames], files, suffix=False)
    of_frame = {entry: files[image] for image, entry in found.name_of.items()}
    notes = found.problems(read.path) if found.ambiguous else []
    if not of_frame:
        of_frame, notes = _by_number(read, files), []
    if not of_frame:
        shown = ", ".join(frame.frame for frame in frames[:3])
        raise ValueError(
            f"{read.path}: none of its {len(frames)} frames ({shown}, ...) belongs to one of the {len(files)} depth "
            f"images of {files[0].parent} ({files[0].name}, ...)"
        )
    folders = {path_parts(frames[k].frame)[:-1] for k in of_frame}
    missing, others = {}, 0
    for k, frame in enumerate(frames):
        if k in of_frame:
            continue
        if path_parts(frame.frame)[:-1] in folders:
            name = short_name(frame)
            missing[name] = f"{files[0].parent / name}.png: no such file, expected the depth image of frame {name}"
        else:
            others += 1
    if others:
        notes.append(f"{read.path}: {others} frames are of other cameras and were left out")
    return DepthFrames([(frames[k], of_frame[k]) for k in sorted(of_frame)], missing, notes)


def _by_number(read: PoseFrames, files: Sequence[Path]) -> dict[int, Path]:
    """Frame's index -> depth image, where both have numbers: equal ones, or times on one clock."""
    frames = [last_number(short_name(f)) if f.number is None else f.number for f in read.frames]
    images = [last_number(file.stem) for file in files]
    if None in frames or None in images or len(set(frames)) < len(frames) or len(set(images)) < len(images):
        return {}
    same = {number: file for number, file in zip(images, files, strict=True)}
    equal = {k: same[n] for k, n in enumerate(frames) if n in same}
    if equal:
        return equal
    orders = [sorted(n for n in numbers if n is not None) for numbers in (frames, images)]
    clocks = [frame_clock(o, w) for o, w in zip(orders, (read.path, str(files[0].parent)), strict=True)]
    if any(clock.time is None for clock in clocks) or clocks[0].fps != clocks[1].fps:
        return {}
    place = {int(index): same[number] for index, number in zip(clocks[1].index, orders[1], strict=True)}
    when = dict(zip(orders[0], clocks[0].index.tolist(), strict=True))
    return {k: place[when[n]] for k, n in enumerate(frames) if n is not None and when[n] in place}
