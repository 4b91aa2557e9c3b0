"""C3D files (motion capture): marker positions over time, through the package `c3d` (`pip install orplugins[c3d]`).

Units and axes stand in the file's POINT group; what is written is in millimetres with y up, as the TRC files are, and
X_SCREEN +X, Y_SCREEN +Y say so. C3D counts frames from 1.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np

from orplugins.io.atomic import atomic_write
from orplugins.io.files import require_file
from orplugins.io.markers import UNITS, Markers

_EXPECTED = "a C3D file"
_MOST_BYTES = 1 << 29
_MOST_FRAMES = 65_535  # the header's numbers have 16 bits
_MM = 1000.0


def write_c3d(
    path: str | os.PathLike, frames: np.ndarray, points: np.ndarray, markers: tuple[str, ...], fps: float
) -> None:
    """Write one person's joints, whole or not at all.

    Args:
        path: The file.
        frames: (F,) frame numbers from 0 on, one after the other.
        points: (F, J, 3) metres, y up; NaN where missing: residual -1.
        markers: Names of the J joints.
        fps: Frames a second.

    Raises:
        ImportError: The package c3d is not there.
        ValueError: Numbers that do not fit each other, or more frames than the form can count.
    """
    c3d = require_c3d()
    if points.shape != (len(frames), len(markers), 3):
        raise ValueError(f"{path}: points have shape {points.shape}, expected ({len(frames)}, {len(markers)}, 3)")
    if not len(frames) or frames[0] < 0 or frames[-1] + 1 > _MOST_FRAMES:
        raise ValueError(
            f"{path}: frames {_span(frames)}, expected some between 0 and {_MOST_FRAMES - 1}: cut the take"
        )
    writer = c3d.Writer(point_rate=float(fps), point_units="mm")
    found = np.isfinite(points).all(-1)
    rows = np.zeros((*points.shape[:2], 5), dtype=np.float32)
    rows[..., :3] = np.where(found[..., None], _MM * points, 0.0)
    rows[..., 3] = np.where(found, 0.0, -1.0)
    none = np.zeros((0, 0), dtype=np.float32)
    writer.add_frames([(row, none) for row in rows])
    writer.set_point_labels(list(markers))
    writer.set_screen_axis("+X", "+Y")
    writer.set_start_frame(int(frames[0]) + 1)
    with atomic_write(path, mode="wb") as file, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "No analog data")
        writer.write(file)


def read_c3d(path: str | os.PathLike) -> Markers:
    """Read marker positions.

    Args:
        path: The file.

    Returns:
        The markers, in the file's axes; frame numbers from 0 on.

    Raises:
        FileNotFoundError: There is no such file.
        ImportError: The package c3d is not there.
        ValueError: Another kind of file, a damaged one, no marker, another unit than m, cm or mm.
    """
    path = require_file(path, _EXPECTED, _MOST_BYTES)
    c3d = require_c3d()
    with open(path, "rb") as file:
        if file.read(2)[1:] != b"\x50":
            raise ValueError(f"{path}: does not begin as C3D files do, expected {_EXPECTED}")
        file.seek(0)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of parameters that nobody needs here
                found = _content(c3d, file, path)
        except _Refused as error:
            raise ValueError(str(error)) from None
        except MemoryError:
            raise
        except Exception as error:  # the package raises whatever a damaged number leads to
            raise ValueError(f"{path}: damaged, or no C3D file ({type(error).__name__})") from None
    return found


class _Refused(Exception):
    """Said of a file that can be read."""


def _content(c3d, file, path: Path) -> Markers:
    reader = c3d.Reader(file)
    names = tuple(str(name).strip() for name in reader.point_labels)
    used, fps, count = int(reader.point_used), float(reader.point_rate), int(reader.frame_count)
    if not used or not count:
        raise _Refused(f"{path}: {used} markers in {count} frames, expected one or more")
    if len(set(names[:used])) < used:
        raise _Refused(f"{path}: {used} markers with {len(set(names))} different labels, expected one each")
    if not 0 < fps < 1e5:
        raise _Refused(f"{path}: POINT:RATE is {fps:g}, expected frames a second")
    if 12 * used * count // (2 if reader.point_scale > 0 else 1) > os.path.getsize(path):
        raise _Refused(f"{path}: {os.path.getsize(path)} bytes for {count} frames of {used} markers: cut short")
    unit = reader.get("POINT:UNITS")
    text = "mm" if unit is None else unit.string_value.strip().lower()
    if text not in UNITS:
        raise _Refused(f"{path}: POINT:UNITS is {text[:20]!r}, expected one of {', '.join(UNITS)}")
    frames, points = [], []
    for number, rows, _ in reader.read_frames():
        there = (rows[:used, 3] >= 0) & np.isfinite(rows[:used, :3]).all(1)
        frames.append(int(number) - 1)
        points.append(np.where(there[:, None], rows[:used, :3].astype(np.float64) * UNITS[text], np.nan))
    if not frames:
        raise _Refused(f"{path}: no frame can be read")
    return Markers(np.array(frames), np.stack(points), names[:used], fps)


def _span(frames: np.ndarray) -> str:
    return f"{int(frames[0])} to {int(frames[-1])}" if len(frames) else "none"


def require_c3d():
    """Return the package c3d.

    Raises:
        ImportError: It is not there.
    """
    try:
        import c3d
    except ImportError:
        raise ImportError("C3D files need the package c3d: pip install orplugins[c3d]") from None
    return c3d
