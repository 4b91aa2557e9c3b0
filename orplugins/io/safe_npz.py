"""npz files with pickled entries, read without running what a pickle might name.

VideoPose3D keeps dictionaries and ragged lists as object arrays. numpy reads those with ``allow_pickle=True`` only,
which executes whatever callable the file names. Here nothing but numpy's own arrays, scalars and types can be made.
"""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

_ALLOWED = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
    ("collections", "OrderedDict"),
    *((f"numpy.{core}.multiarray", name) for core in ("core", "_core") for name in ("_reconstruct", "scalar")),
    *((f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")),
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which only numpy's own types may be")
        if module.startswith("numpy._core") and not hasattr(np, "_core"):
            module = module.replace("numpy._core", "numpy.core")
        if module.startswith("numpy.core") and int(np.__version__.split(".")[0]) >= 2:
            module = module.replace("numpy.core", "numpy._core")
        return super().find_class(module, name)


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
    except (ValueError, zipfile.BadZipFile, EOFError, pickle.UnpicklingError) as error:
        raise ValueError(f"{path}: {error}") from None
    return out


def _read_entry(data: bytes, name: str) -> Any:
    stream = io.BytesIO(data)
    version = npy.read_magic(stream)
    header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    dtype = header(stream)[2]
    if not dtype.hasobject:
        return npy.read_array(io.BytesIO(data), allow_pickle=False)
    rest = stream.read()
    for encoding in ("ASCII", "latin1"):  # Python 2 files have bytes that are not ASCII
        try:
            value = _Unpickler(io.BytesIO(rest), encoding=encoding).load()
            break
        except UnicodeDecodeError:
            continue
        except (pickle.UnpicklingError, EOFError, AttributeError, IndexError, TypeError, KeyError) as error:
            raise ValueError(f"entry '{name}' cannot be read: {error}") from None
    else:
        raise ValueError(f"entry '{name}' cannot be read: text in an unknown encoding")
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
