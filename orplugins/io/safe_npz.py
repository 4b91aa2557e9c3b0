"""npz files with pickled entries, read without running what a pickle might name.

VideoPose3D keeps dictionaries and ragged lists as object arrays. numpy reads those with ``allow_pickle=True`` only,
which executes whatever callable the file names. Here nothing but numpy's own arrays, scalars and types can be made.
"""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from orplugins.io.safe_pickle import plain_pickle


def read_npz(path: str | os.PathLike, names: tuple[str, ...]) -> dict[str, Any]:
    """Read entries of an npz file; a 0-d object array gives its object.

    Args:
        path: The file.
        names: Entries that must be there; others are not looked at.

    Returns:
        The entries by name.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Not an npz file, an entry is missing, or its pickle names anything but numpy's types.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file, expected an npz archive")
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path}: not an npz archive or cut off")
    out = {}
    try:
        with zipfile.ZipFile(path) as archive:
            there = {name.removesuffix(".npy") for name in archive.namelist()}
            for name in names:
                if name not in there:
                    raise ValueError(f"missing entry '{name}', found {', '.join(sorted(there))}")
                out[name] = _read_entry(archive.read(f"{name}.npy"), name)
    except (ValueError, zipfile.BadZipFile, EOFError) as error:
        raise ValueError(f"{path}: {error}") from None
    return out


def _read_entry(data: bytes, name: str) -> Any:
    stream = io.BytesIO(data)
    version = npy.read_magic(stream)
    header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    dtype = header(stream)[2]
    if not dtype.hasobject:
        return npy.read_array(io.BytesIO(data), allow_pickle=False)
    try:
        value = plain_pickle(stream.read(), objects=True)
    except ValueError as error:
        raise ValueError(f"entry '{name}' cannot be read: {error}") from None
    return value.item() if isinstance(value, np.ndarray) and value.shape == () else value


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
