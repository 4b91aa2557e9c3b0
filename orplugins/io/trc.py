"""TRC files (OpenSim, Pose2Sim): marker positions over time, y up; the form is described in OpenSim's documentation."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from orplugins.io.atomic import atomic_write


def marker_name(joint: str) -> str:
    """Return a joint's name as markers are called: left_shoulder is LShoulder."""
    side, _, rest = joint.partition("_")
    short = {"left": "L", "right": "R"}.get(side)
    words = rest if short else joint
    return (short or "") + "".join(word.capitalize() for word in words.split("_"))


def y_up(up: np.ndarray) -> np.ndarray:
    """Rotation from a world to one with y up: its nearest axis to the vertical becomes y.

    Args:
        up: (3,) the world's vertical.

    Returns:
        (3, 3) of zeros and ones; z up becomes (y, z, x), as Pose2Sim has it.
    """
    axis = int(np.abs(up).argmax())
    out = np.zeros((3, 3))
    if up[axis] > 0:
        for row, column in enumerate([(axis - 1) % 3, axis, (axis + 1) % 3]):
            out[row, column] = 1
        return out
    rows = {0: ((1, 1), (0, -1), (2, 1)), 1: ((0, 1), (1, -1), (2, -1)), 2: ((0, 1), (2, -1), (1, 1))}[axis]
    for row, (column, sign) in enumerate(rows):
        out[row, column] = sign
    return out


def write_trc(
    path: str | os.PathLike, frames: np.ndarray, points: np.ndarray, markers: tuple[str, ...], fps: float
) -> None:
    """Write one person's joints, whole or not at all.

    Args:
        path: The file.
        frames: (F,) frame numbers, one after the other; the time of frame n is n / fps.
        points: (F, J, 3) metres, y up; NaN where missing: an empty cell.
        markers: Names of the J joints.
        fps: Frames a second.

    Raises:
        ValueError: Numbers that do not fit each other.
    """
    if points.shape != (len(frames), len(markers), 3):
        raise ValueError(f"{path}: points have shape {points.shape}, expected ({len(frames)}, {len(markers)}, 3)")
    rate = f"{fps:g}"
    names = "".join(f"{name}\t\t\t" for name in markers)
    axes = "".join(f"X{k}\tY{k}\tZ{k}\t" for k in range(1, len(markers) + 1))
    first = int(frames[0]) if len(frames) else 0
    head = [
        f"PathFileType\t4\t(X/Y/Z)\t{Path(path).name}",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{rate}\t{rate}\t{len(frames)}\t{len(markers)}\tm\t{rate}\t{first}\t{len(frames)}",
        f"Frame#\tTime\t{names}",
        f"\t\t{axes}",
    ]
    with atomic_write(path) as file:
        file.write("\n".join(head) + "\n")
        for number, row in zip(frames, points, strict=True):
            cells = ["" if np.isnan(value) else f"{value:.6f}" for value in row.ravel()]
            file.write("\t".join([str(int(number)), f"{number / fps:.6f}", *cells]) + "\n")
