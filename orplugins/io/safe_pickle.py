"""Pickles of plain arrays, read by a machine that can build nothing else.

Every global that numpy's own pickles name is replaced by a small class below; any other name is refused before it is
looked up. Nothing of numpy's or anybody's reconstruction code runs.
"""

from __future__ import annotations

import io
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np

# Integers, floats and booleans, and (where the caller takes them) objects of which the same holds; no records.
_KINDS = "biufO"


class UnsafePickleError(ValueError):
    """A pickle names something other than plain arrays and containers."""


class _DType:
    """Stands for numpy.dtype while a file is read."""

    def __init__(self, code: Any, align: Any = False, copy: Any = True):
        code = code.decode("latin1") if isinstance(code, bytes) else code
        if not (isinstance(code, str) and code[:1] in _KINDS and code[1:].isdigit()):
            raise UnsafePickleError(f"an array of dtype {code!r}, expected numbers")
        self.dtype = np.dtype("O" if code[0] == "O" else code)

    def __setstate__(self, state: Any) -> None:
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else "|"
        order = order.decode("latin1") if isinstance(order, bytes) else order
        if order in ("<", ">"):
            self.dtype = self.dtype.newbyteorder("<" if order == "<" else ">")


class _Array:
    """Stands for numpy.ndarray while a file is read."""

    value: np.ndarray | None = None

    def __init__(self, *_: Any):
        pass

    def __setstate__(self, state: Any) -> None:
        if not (isinstance(state, tuple) and len(state) == 5):
            raise UnsafePickleError("an array without the usual five parts")
        _, shape, dtype, fortran, data = state
        build = _objects if isinstance(data, list) else _array
        self.value = build(data, dtype, shape, "F" if fortran else "C")


def _bytes(data: Any) -> bytes:
    # Files of Python 2 arrive as text, see `encoding` below.
    data = data.encode("latin1") if isinstance(data, str) else data
    if isinstance(data, pickle.PickleBuffer):
        data = data.raw()
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise UnsafePickleError(f"array data of type {type(data).__name__}, expected bytes")
    return bytes(data)


def _array(data: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray:
    if not isinstance(dtype, _DType) or dtype.dtype.hasobject:
        raise UnsafePickleError("an array whose dtype is not a plain one")
    return np.frombuffer(_bytes(data), dtype=dtype.dtype).reshape(tuple(shape), order=order).copy()


def _objects(data: list, dtype: Any, shape: Any, order: Any) -> np.ndarray:
    if not isinstance(dtype, _DType) or not dtype.dtype.hasobject:
        raise UnsafePickleError("an array of numbers whose data are a list")
    out = np.empty(len(data), dtype=object)
    for k, value in enumerate(data):
        out[k] = value
    return out.reshape(tuple(shape), order=order)


def _from_buffer(data: Any, dtype: Any, shape: Any, order: str) -> np.ndarray:
    return _array(data, dtype, shape, order)


def _scalar(dtype: Any, data: Any = b"") -> Any:
    return _array(data, dtype, (1,), "C")[0].item()


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise UnsafePickleError(f"text encoded as {encoding!r}, expected latin1")
    return text.encode("latin1")


def _empty_array(*_: Any) -> _Array:
    return _Array()


def _no_bytes(*arguments: Any) -> bytes:
    # What protocols 0 to 2 write for b"".
    if arguments:
        raise UnsafePickleError("bytes made from something")
    return b""


_BUILDERS: dict[tuple[str, str], Any] = {
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): dict,
    ("builtins", "bytes"): _no_bytes,
    ("__builtin__", "bytes"): _no_bytes,
}
for _module in ("numpy.core", "numpy._core"):
    _BUILDERS[f"{_module}.multiarray", "_reconstruct"] = _empty_array
    _BUILDERS[f"{_module}.multiarray", "scalar"] = _scalar
    _BUILDERS[f"{_module}.numeric", "_frombuffer"] = _from_buffer
_BUILDERS["numpy", "ndarray"] = _Array
_BUILDERS["numpy", "dtype"] = _DType


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _BUILDERS:
            raise UnsafePickleError(f"it names {module}.{name}, expected arrays, numbers, text and containers only")
        return _BUILDERS[module, name]

    def persistent_load(self, pid: Any) -> Any:
        raise UnsafePickleError("it refers to objects outside the file")


def load_plain_pickle(path: str | os.PathLike) -> Any:
    """Read a pickle of dicts, lists, tuples, text, numbers and numeric arrays.

    Args:
        path: The file.

    Returns:
        Its content.

    Raises:
        FileNotFoundError: There is no such file.
        UnsafePickleError: It names anything else; nothing of it has been executed.
        ValueError: Not a pickle, or cut off.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file, expected a pickle of arrays")
    try:
        return plain_pickle(path.read_bytes())
    except UnsafePickleError as error:
        raise UnsafePickleError(f"{path}: refused: {error}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def plain_pickle(data: bytes, objects: bool = False) -> Any:
    """Read the same from bytes.

    Args:
        data: The pickle.
        objects: Take object arrays too, whose entries are such values.

    Raises:
        UnsafePickleError: It names anything else; nothing of it has been executed.
        ValueError: Not a pickle, or cut off.
    """
    try:
        return _plain(_Unpickler(io.BytesIO(data), encoding="latin1").load(), objects)
    except UnsafePickleError:
        raise
    except Exception as error:  # a broken pickle raises whatever its bytes lead to
        raise ValueError(f"not a pickle or cut off ({type(error).__name__}: {error})") from None


def _plain(value: Any, objects: bool) -> Any:
    """Replace the stand-ins by the arrays that they hold."""
    if isinstance(value, _Array):
        if value.value is None:
            raise UnsafePickleError("an array without data")
        if not value.value.dtype.hasobject:
            return value.value
        if not objects:
            raise UnsafePickleError("an array of objects, expected numbers")
        return _objects([_plain(entry, objects) for entry in value.value.flat], _DType("O8"), value.value.shape, "C")
    if isinstance(value, dict):
        return {_plain(key, objects): _plain(entry, objects) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(entry, objects) for entry in value)
    if isinstance(value, _DType) or not isinstance(value, (str, bytes, int, float, bool, type(None), np.ndarray)):
        raise UnsafePickleError(f"a value of type {type(value).__name__}")
    return value
