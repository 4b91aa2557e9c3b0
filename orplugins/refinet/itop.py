"""ITOP's HDF5 files (Haque et al., arXiv 1603.07076; zenodo record 3932973).

`ITOP/ITOP_<side|top>_<train|test>_<depth_map|labels|point_cloud>.h5` below a data root. Depth and places are float16
metres with y up; they become float32 millimetres here, before any arithmetic, because float16 overflows on squares.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from orplugins.io.atomic import atomic_path
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
        ids = _dataset(file, "id", path, (None,))[()]
        n = len(ids)
        valid = _dataset(file, "is_valid", path, (n,))[()]
        visible = _dataset(file, "visible_joints", path, (n, _JOINTS))[()]
        pixels = _dataset(file, "image_coordinates", path, (n, _JOINTS, 2))[()]
        places = _dataset(file, "real_world_coordinates", path, (n, _JOINTS, 3))[()]
    names = [name.decode("ascii", "replace") if isinstance(name, bytes) else str(name) for name in ids]
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
            data = _dataset(file, "data", self.path, (None, None, 3) if cloud else (None, None, None))
            self.shape = tuple(data.shape)
            if data.dtype.kind != "f":
                raise ValueError(f"{self.path}: 'data' is {data.dtype}, expected floating-point metres")
        self._handle: tuple[int, Any] | None = None

    def __len__(self) -> int:
        return self.shape[0]

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_handle": None}

    def __getitem__(self, row: int) -> np.ndarray:
        """(H, W) or, for clouds, (P, 3) float32 millimetres."""
        if self._handle is None or self._handle[0] != os.getpid():
            self._handle = os.getpid(), _open(self.path)["data"]
        try:
            values = self._handle[1][row]
        except OSError as error:
            raise ValueError(f"{self.path}: row {row}: cannot be read, the file is damaged ({error})") from None
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
    with _new_h5(itop_path(root, view, file, "depth_map")) as out:
        data = None
        for row, depth in enumerate(depth_m):
            if data is None:
                chunks = (1, *depth.shape) if compression else None
                data = out.create_dataset("data", (n, *depth.shape), "f2", chunks=chunks, compression=compression)
            data[row] = depth
        out["id"] = ids
    with _new_h5(itop_path(root, view, file, "labels")) as out:
        for key, dtype in dtypes.items():
            out[key] = np.asarray(labels[key]).astype(dtype)


@contextmanager
def open_h5(path: str | os.PathLike) -> Iterator[Any]:
    """Open an HDF5 file for reading.

    Args:
        path: The file.

    Yields:
        The open file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: No or a truncated HDF5 file.
    """
    file = _open(Path(path))
    try:
        yield file
    finally:
        file.close()


def _open(path: Path) -> Any:
    import h5py  # only ITOP needs it

    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file, expected HDF5")
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise ValueError(f"{path}: not HDF5 or truncated ({error})") from None


def _dataset(file: Any, key: str, path: str | os.PathLike, shape: tuple) -> Any:
    if key not in file:
        raise ValueError(f"{path}: missing key '{key}', found {', '.join(sorted(file)) or 'none'}")
    data = file[key]
    fits = len(data.shape) == len(shape) and all(b in (None, a) for a, b in zip(data.shape, shape, strict=True))
    if not fits:
        wanted = ", ".join("any" if n is None else str(n) for n in shape)
        raise ValueError(f"{path}: '{key}' has shape {data.shape}, expected ({wanted})")
    return data


@contextmanager
def _new_h5(path: Path) -> Iterator[Any]:
    """A HDF5 file that appears under its name only when it is complete."""
    import h5py

    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        yield file
