"""npz files with pickled entries, read without running what a pickle might name.

VideoPose3D keeps dictionaries and ragged lists as object arrays. numpy reads those with ``allow_pickle=True`` only,
which executes whatever callable the file names. Here nothing but numpy's own arrays, scalars and types can be made.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from orplugins.io.arrays import load_npz, npz_names


def read_npz(path: str | os.PathLike, names: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """Read entries of an npz file; a 0-d object array gives its object.

    Args:
        path: The file.
        names: Entries that must be there; others are not looked at.
        optional: Entries that may be there.

    Returns:
        The entries by name.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Not an npz file, an entry is missing, or its pickle names anything but numpy's types.
    """
    out = load_npz(path, {*names, *optional}, objects=True)
    missing = [name for name in names if name not in out]
    if missing:
        there = sorted(ascii(name)[1:-1] for name in npz_names(path))
        raise ValueError(f"{path}: missing entry '{missing[0]}', found {', '.join(there) or 'none'}")
    return out


def object_scalar(value: Any) -> np.ndarray:
    """A 0-d object array.

    Args:
        value: The object in it.

    Returns:
        () object array.
    """
    out = np.empty((), dtype=object)
    out[()] = value
    return out
