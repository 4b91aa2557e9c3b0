"""A camera's 2D people by frame number, from any file of 2D poses."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from orplugins.io.poses2d import one_sequence, read_poses2d, sequence_clock
from orplugins.skeletons import COCO_17, convert

_LARGEST = 100_000_000  # beyond it numbers are places on a clock that counts since 1970


@dataclass(frozen=True)
class ViewPeople:
    """What a camera saw.

    Attributes:
        people: {frame number: (N, 17, 3) COCO-17, x, y in pixels and score; zeros where a joint is missing}.
        notes: What is to be known and no failure.
        failed: One line for each file that could not be read.
    """

    people: dict[int, np.ndarray]
    notes: list[str]
    failed: list[str]


def read_view(path: str | os.PathLike, size: tuple[int, int]) -> ViewPeople:
    """Read a camera's people.

    Args:
        path: See `orplugins.io.poses2d.read_poses2d`; of one camera.
        size: (width, height) of its images.

    Returns:
        The people; frames that the file does not name are not there.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Not of a known form, nobody in it, images of several cameras, joints outside the images.
    """
    read = one_sequence(read_poses2d(path, size))
    clock = sequence_clock(read)
    people = {
        int(place): convert(frame.filled(), frame.skeleton, COCO_17)
        for place, frame in zip(clock.index, read.frames, strict=True)
    }
    rate = "; their rate is taken to be --fps" if clock.needs_fps else ""
    notes = [*read.notes, *([clock.note + rate] if clock.note else [])]
    gaps = max(people) - min(people) + 1 - len(people)
    if gaps:
        notes.append(f"{path}: {gaps} of {gaps + len(people)} frame numbers are missing; they count as without people")
    return ViewPeople(people, notes, list(read.failed))


def check_different(paths: Sequence[str | os.PathLike], views: Sequence[Sequence[np.ndarray]]) -> None:
    """Refuse one camera's people given for two views.

    Args:
        paths: Of the views.
        views: The people (N, K, 3) of each one's frames.

    Raises:
        ValueError: Two views are the same file or folder, or hold the same people.
    """
    for a, b in combinations(range(len(paths)), 2):
        same = os.path.realpath(paths[a]) == os.path.realpath(paths[b])
        if same or (len(views[a]) == len(views[b]) and all(map(np.array_equal, views[a], views[b]))):
            raise ValueError(f"view {a + 1} and view {b + 1} hold the same people: {paths[a]}, {paths[b]}")


def from_zero(views: list[dict[int, np.ndarray]]) -> list[dict[int, np.ndarray]]:
    """Count frames from the first one of all views on, where their numbers are times since 1970."""
    first = min(min(view) for view in views)
    return [{n - first: people for n, people in view.items()} for view in views] if first > _LARGEST else views
