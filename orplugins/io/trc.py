"""TRC files (OpenSim, Pose2Sim): marker positions over time, y up; the form is described in OpenSim's documentation."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from orplugins.io.atomic import atomic_write
from orplugins.io.files import read_text
from orplugins.io.markers import UNITS, Markers, marker_name, one_after_the_other

__all__ = ["marker_name", "read_trc", "write_trc", "y_up"]
_EXPECTED = "a TRC file"
_MOST_BYTES = 1 << 28


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


def read_trc(path: str | os.PathLike) -> Markers:
    """Read marker positions.

    Args:
        path: The file: five lines of head, then a row a frame; cells between tabs.

    Returns:
        The markers, in the file's axes.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Another kind of file; a unit other than m, cm or mm; a row with another number of cells, or with
            something else than numbers; frame numbers that do not rise by one.
    """
    lines = read_text(path, _EXPECTED, _MOST_BYTES).splitlines()
    if len(lines) < 6 or not lines[0].startswith("PathFileType"):
        raise ValueError(f"{path}: {len(lines)} lines that begin {lines[0][:20]!r}, expected {_EXPECTED}" if lines
                         else f"{path}: is empty, expected {_EXPECTED}")  # fmt: skip
    head = dict(zip(lines[1].split("\t"), lines[2].split("\t"), strict=False))
    fps = _number(head.get("DataRate", ""), f"{path}: DataRate")
    if not 0 < fps < 1e5:
        raise ValueError(f"{path}: DataRate is {fps:g}, expected frames a second")
    unit = head.get("Units", "").strip().lower()
    if unit not in UNITS:
        raise ValueError(f"{path}: Units is {unit[:20]!r}, expected one of {', '.join(UNITS)}")
    names = tuple(name.strip() for name in lines[3].split("\t")[2:] if name.strip())
    if not names or len(set(names)) < len(names):
        raise ValueError(f"{path}: line 4 names {len(names)} markers, {len(set(names))} of them different")
    frames, rows = [], []
    for number, line in enumerate(lines[4:], 5):
        cells = line.rstrip("\r\n").split("\t")
        if not line.strip() or (number < 7 and not cells[0].strip()):  # the axes' names; an empty line may follow
            continue
        where = f"{path}: line {number}"
        values = cells[2 : 2 + 3 * len(names)]
        if len(cells) < 2 or any(cell.strip() for cell in cells[2 + 3 * len(names) :]):
            raise ValueError(f"{where}: {len(cells)} cells, expected {2 + 3 * len(names)}")
        values += [""] * (3 * len(names) - len(values))  # missing at the end of the line
        frames.append(int(_number(cells[0], where)))
        rows.append([_number(cell, where) if cell.strip() else np.nan for cell in values])
    if not frames or not one_after_the_other(frames):
        raise ValueError(f"{path}: {len(frames)} frames, expected some whose numbers rise by one")
    points = np.array(rows).reshape(len(frames), len(names), 3) * UNITS[unit]
    points[~np.isfinite(points).all(-1)] = np.nan
    return Markers(np.array(frames), points, names, fps)


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{where}: {text.strip()[:20]!r}, expected a number") from None
    if abs(value) > 1e9:
        raise ValueError(f"{where}: {text.strip()[:20]!r}, expected a number below a thousand million")
    return value
