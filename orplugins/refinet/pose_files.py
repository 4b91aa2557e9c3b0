"""Files of input poses for RefiNet: the published pickles, and the same as npz.

Our npz has `rows` (F,) int and `poses` (F, K, D). A published ITOP file is a pickled dict from a frame's row in the
labels file to (15, D): D = 2 pixels, D = 3 millimetres or (x px, y px, z mm); nothing in the file says which.
"""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from orplugins.io.arrays import load_npz
from orplugins.io.atomic import atomic_write
from orplugins.io.safe_pickle import load_plain_pickle

FORMATS = {"px": 2, "mm": 3, "px_mm": 3}


def load_itop_poses(path: str | os.PathLike, pose_format: str | None = None) -> dict[int, np.ndarray]:
    """Read input poses.

    Args:
        path: .npz, else a published pickle.
        pose_format: "px", "mm" or "px_mm", to check the number of columns against.

    Returns:
        (15, D) float64 by row of the labels file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Another form, NaN, or another number of columns.
    """
    if pose_format is not None and pose_format not in FORMATS:
        raise ValueError(f"pose_format: found {pose_format!r}, expected one of {sorted(FORMATS)}")
    path = Path(path)
    if path.suffix == ".npz":
        arrays = load_npz(path)
        shapes = [arrays[name].shape[:1] for name in ("rows", "poses") if name in arrays]
        if len(shapes) < 2 or shapes[0] != shapes[1] or arrays["rows"].ndim != 1:
            raise ValueError(f"{path}: found arrays {sorted(arrays)}, expected 'rows' and 'poses' of equal length")
        entries: Any = dict(zip(arrays["rows"].tolist(), arrays["poses"], strict=True))
    else:
        entries = load_plain_pickle(path)
    if not isinstance(entries, dict) or not entries:
        raise ValueError(f"{path}: found {type(entries).__name__}, expected a filled dict from row to pose")
    poses = {}
    for row, pose in entries.items():
        pose = pose if isinstance(pose, np.ndarray) else _array(pose)
        if type(row) is not int or pose.ndim != 2 or pose.shape[0] != 15 or pose.shape[1] not in (2, 3):
            raise ValueError(f"{path}: row {str(row)[:40]!r}: found shape {pose.shape}, expected (15, 2) or (15, 3)")
        if pose_format and pose.shape[1] != FORMATS[pose_format]:
            raise ValueError(
                f"{path}: row {row}: found {pose.shape[1]} columns, expected {FORMATS[pose_format]} ({pose_format!r})"
            )
        if pose.dtype.kind not in "iuf" or not np.isfinite(pose).all():
            raise ValueError(f"{path}: row {row}: found {pose.dtype} with NaN or no numbers, expected finite numbers")
        poses[row] = pose.astype(np.float64)
    return poses


def _array(pose: Any) -> np.ndarray:
    """Lists as an array; of no shape that is allowed where they are none of numbers."""
    try:
        return np.asarray(pose if isinstance(pose, (list, tuple)) else [], dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return np.zeros(0)


def save_itop_poses(path: str | os.PathLike, rows: np.ndarray, poses: np.ndarray) -> None:
    """Write poses, whole or not at all.

    Args:
        path: .npz for our form, .pkl for the published dict of float32 arrays.
        rows: (F,) rows of the labels file.
        poses: (F, 15, D).

    Raises:
        ValueError: Another suffix, or not as many rows as poses.
    """
    path = Path(path)
    rows, poses = np.asarray(rows, dtype=np.int64), np.asarray(poses)
    if len(rows) != len(poses) or path.suffix not in (".npz", ".pkl"):
        raise ValueError(
            f"{path}: {len(rows)} rows, {len(poses)} poses; expected as many, and a name ending in .npz or .pkl"
        )
    with atomic_write(path, "wb") as file:
        if path.suffix == ".npz":
            np.savez(file, rows=rows, poses=poses)
        else:
            entries = {int(row): pose.astype(np.float32) for row, pose in zip(rows, poses, strict=True)}
            pickle.dump(entries, file, protocol=4)
