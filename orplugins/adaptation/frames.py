"""Which frames of a recording are used, and for what."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from orplugins.depth.png import is_depth_png
from orplugins.io.images import find_pictures

LEAST_FRAMES = 20


def kind_of_frames(inputs: Sequence[str | os.PathLike]) -> str:
    """Whether frames are colour or depth.

    Args:
        inputs: Pictures, or folders of them.

    Returns:
        "depth" for 16-bit PNG, else "color".

    Raises:
        FileNotFoundError: An input is missing or has no picture.
        ValueError: There are both.
    """
    paths = find_pictures(inputs)
    depth = [is_depth_png(path) for path in paths]
    if any(depth) and not all(depth):
        one, other = paths[depth.index(True)], paths[depth.index(False)]
        raise ValueError(f"{one} is depth (16-bit PNG) and {other} is not, expected frames of one kind")
    return "depth" if all(depth) else "color"


def choose_frames(inputs: Sequence[str | os.PathLike], most: int) -> list[Path]:
    """Frames of a recording in order, evenly spaced where there are too many.

    Args:
        inputs: Pictures, or folders of them.
        most: So many at most.

    Returns:
        Their files.

    Raises:
        FileNotFoundError: An input is missing or has no picture.
        ValueError: Fewer than 20 frames, or one is given twice.
    """
    paths = find_pictures(inputs)
    if len({os.path.realpath(path) for path in paths}) < len(paths):
        raise ValueError("a frame is given twice, expected each once")
    if min(len(paths), most) < LEAST_FRAMES:
        raise ValueError(
            f"{', '.join(map(str, inputs))}: {min(len(paths), most)} frames, expected at least {LEAST_FRAMES} "
            "neighbouring ones of a recording (hundreds are better)"
        )
    return [paths[k] for k in spread(np.arange(len(paths)), most)]


def spread(numbers: np.ndarray, most: int) -> np.ndarray:
    """Evenly spaced numbers.

    Args:
        numbers: Of frames.
        most: How many are wanted at most.

    Returns:
        Those.
    """
    return numbers[np.unique(np.linspace(0, len(numbers) - 1, min(most, len(numbers))).astype(int))]


def held_out_frames(count: int, share: float, runs: int = 5) -> np.ndarray:
    """Frames that no training sees: the end of each of some runs of frames.

    Args:
        count: Number of frames.
        share: Of them.
        runs: Number of runs.

    Returns:
        Their indices.
    """
    parts = np.array_split(np.arange(count), runs)
    return np.concatenate([part[len(part) - max(1, round(share * len(part))) :] for part in parts])
