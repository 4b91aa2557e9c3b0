"""ITOP's HDF5 files (Haque et al., arXiv 1603.07076; zenodo record 3932973).

`ITOP/ITOP_<side|top>_<train|test>_<depth_map|labels|point_cloud>.h5` below a data root. Depth and places are float16
metres with y up; they become float32 millimetres here, before any arithmetic, because float16 overflows on squares.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from orplugins.io.h5_files import dataset, h5_errors, new_h5, open_h5, open_handle
from orplugins.refinet.checks import checked_metres

VIEWS, FILES = ("side", "top"), ("train", "test")
VALIDATION_SUBJECTS = ("04", "05")
SPLITS = ("train", "val", "trainval", "test")
_JOINTS = 15


def itop_path(root: str | os.PathLike, view: str, file: str, kind: str) -> Path:
    """Path of one of ITOP's files.

    Args:
        root: The folder that holds ``ITOP/``.
        view: "side" or "top".
        file: "train" or "test".
        kind: "depth_map", "labels" or "point_cloud".

    Returns:
        The path.
    """
    return Path(root) / "ITOP" / f"ITOP_{view}_{file}_{kind}.h5"


@dataclass(frozen=True)
class ItopLabels:
    """All rows of a labels file.

    Attributes:
        path: The file.
        ids: (n,) text "SS_FFFFF".
        valid: (n,) bool.
        visible: (n, 15) 0 or 1.
        pixels: (n, 15, 2) int16.
        points_mm: (n, 15, 3) float32 millimetres, y up.
    """

    path: str
    ids: list[str]
    valid: np.ndarray
    visible: np.ndarray
    pixels: np.ndarray
    points_mm: np.ndarray

    def rows(self, split: str) -> np.ndarray:
        """Rows of valid frames in a split: subjects 04 and 05 of the training file are the validation split.

        Args:
            split: One of `SPLITS`.

        Returns:
            Row numbers.

        Raises:
            ValueError: Another split.
        """
        if split not in SPLITS:
            raise ValueError(f"split: found {split!r}, expected one of {SPLITS}")
        held_out = np.array([name[:2] in VALIDATION_SUBJECTS for name in self.ids], dtype=bool)
        chosen = {"train": ~held_out, "val": held_out}.get(split, np.ones(len(self.ids), dtype=bool))
        return np.flatnonzero(chosen & self.valid)


def load_itop_labels(path: str | os.PathLike) -> ItopLabels:
    """Read and check a labels file.

    Args:
        path: HDF5 file.

    Returns:
        All rows.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: No or a truncated HDF5 file, a missing key, another shape, NaN, or millimetres.
    """
    with open_h5(path) as file:
        ids = dataset(file, "id", path, (None,), "S")[()]
        n = len(ids)
        valid = dataset(file, "is_valid", path, (n,), "uib")[()]
        visible = dataset(file, "visible_joints", path, (n, _JOINTS), "uib")[()]
        pixels = dataset(file, "image_coordinates", path, (n, _JOINTS, 2), "iuf")[()]
        places = dataset(file, "real_world_coordinates", path, (n, _JOINTS, 3), "f")[()]
    names = [name.decode("ascii", "replace") for name in ids.tolist()]
    usable = valid.astype(bool)
    if not np.isfinite(places[usable]).all():
        raise ValueError(f"{path}: 'real_world_coordinates' holds NaN or infinity in valid frames")
    if usable.any() and np.abs(places[usable].astype(np.float32)).max() > 100:
        raise ValueError(f"{path}: 'real_world_coordinates' looks like millimetres, expected metres")
    return ItopLabels(str(path), names, usable, visible, pixels, places.astype(np.float32) * np.float32(1000))


class ItopFrames:
    """Frames of a depth (or point cloud) file by row.

    The file is opened in each process that reads from it, because HDF5 handles must not be shared across a fork; a
    pickled object holds none.

    Args:
        path: HDF5 file.
        cloud: It is a point cloud file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: No or a truncated HDF5 file, a missing key, or another shape or dtype.
    """

    def __init__(self, path: str | os.PathLike, cloud: bool = False):
        self.path, self.cloud = Path(path), cloud
        with open_h5(self.path) as file:
            self.shape = tuple(self._data(file).shape)
        self._handle: tuple[int, Any] | None = None

    def _data(self, file: Any) -> Any:
        sides = (None, None, 3) if self.cloud else (None, None, None)
        return dataset(file, "data", self.path, sides, "f", row=True)

    def __len__(self) -> int:
        return self.shape[0]

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_handle": None}

    def __getitem__(self, row: int) -> np.ndarray:
        """(H, W) or, for clouds, (P, 3) float32 millimetres."""
        if self._handle is None or self._handle[0] != os.getpid():
            with h5_errors(self.path):
                self._handle = os.getpid(), self._data(open_handle(self.path))
        with h5_errors(self.path, f"row {row}: "):
            values = self._handle[1][row]
        if self.cloud:
            if not np.isfinite(values).all():
                raise ValueError(f"{self.path}: row {row}: found NaN or infinity, expected finite metres")
            return values.astype(np.float32) * np.float32(1000)
        return checked_metres(values, f"{self.path}: row {row}")


def write_itop(
    root: str | os.PathLike,
    view: str,
    file: str,
    labels: dict[str, np.ndarray],
    depth_m: Iterator[np.ndarray],
    compression: str | None = None,
) -> None:
    """Write the labels and the depth file of one view, each whole or not at all.

    Args:
        root: The folder that holds ``ITOP/``.
        view: "side" or "top".
        file: "train" or "test".
        labels: `id`, `is_valid`, `visible_joints`, `image_coordinates`, `real_world_coordinates` (metres, y up), n
            rows.
        depth_m: n arrays (H, W) of metres.
        compression: Of the depth file, e.g. "lzf". ITOP's own is not compressed; readers see no difference.
    """
    n = len(labels["id"])
    dtypes = {
        "id": "S8",
        "is_valid": "u1",
        "visible_joints": "i2",
        "image_coordinates": "i2",
        "real_world_coordinates": "f2",
    }
    ids = np.asarray(labels["id"]).astype("S8")
    with new_h5(itop_path(root, view, file, "depth_map")) as out:
        data = None
        for row, depth in enumerate(depth_m):
            if data is None:
                chunks = (1, *depth.shape) if compression else None
                data = out.create_dataset("data", (n, *depth.shape), "f2", chunks=chunks, compression=compression)
            data[row] = depth
            out.require_written()
        out["id"] = ids
    with new_h5(itop_path(root, view, file, "labels")) as out:
        for key, dtype in dtypes.items():
            out[key] = np.asarray(labels[key]).astype(dtype)
