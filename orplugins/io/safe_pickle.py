"""Pickles of plain arrays, read by a machine that can build nothing else.

Every name that numpy's own pickles use has a function below; any other is refused. Nothing of numpy's or anybody's
reconstruction code runs.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from orplugins.io.files import read_bytes
from orplugins.io.pickle_opcodes import read_pickle
from orplugins.io.pickle_values import Constant, Unfinished, UnsafePickleError

__all__ = ["UnsafePickleError", "array_builders", "load_plain_pickle", "plain_pickle"]

# Integers, floats and booleans, and (where the caller takes them) objects of which the same holds; no records.
_NUMBERS = "biuf"
_PLAIN = (str, bytes, int, float, type(None), np.ndarray, dict, list, tuple)


def _bytes(data: Any) -> bytes | bytearray:
    # Text of Python 2 comes as latin1.
    data = data.encode("latin1") if isinstance(data, str) else data
    if not isinstance(data, (bytes, bytearray)):
        raise UnsafePickleError(f"array data of type {type(data).__name__}, expected bytes")
    return data


def _shape(shape: Any) -> tuple[int, ...]:
    shape = tuple(shape)
    if not all(type(size) is int and 0 <= size < 1 << 48 for size in shape):
        raise UnsafePickleError("an array whose shape is not of sizes")
    return shape


def _array(data: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray:
    if not isinstance(dtype, np.dtype) or dtype.hasobject:
        raise UnsafePickleError("an array whose dtype is not a plain one")
    out = np.frombuffer(_bytes(data), dtype=dtype).reshape(_shape(shape), order=order)
    return out.astype(dtype.newbyteorder("="), order="K")


def _objects(data: list, dtype: Any, shape: Any, order: Any) -> np.ndarray:
    if not isinstance(dtype, np.dtype) or not dtype.hasobject:
        raise UnsafePickleError("an array of numbers whose data are a list")
    out = np.empty(len(data), dtype=object)
    for k, value in enumerate(data):
        out[k] = value
    return out.reshape(_shape(shape), order=order)


def _from_state(state: Any) -> np.ndarray:
    if not (isinstance(state, tuple) and len(state) == 5):
        raise UnsafePickleError("an array without the usual five parts")
    _, shape, dtype, fortran, data = state
    return (_objects if isinstance(data, list) else _array)(data, dtype, shape, "F" if fortran else "C")


def _empty_array(*_: Any) -> Unfinished:
    return Unfinished(_from_state)


def _dtype_of(kinds: str) -> Callable[..., Unfinished]:
    def build(code: Any, align: Any = False, copy: Any = True) -> Unfinished:
        code = code.decode("latin1") if isinstance(code, bytes) else code
        if code[:1] == "O" and "O" not in kinds:
            raise UnsafePickleError("an array of objects, expected numbers")
        if not (isinstance(code, str) and code[:1] in kinds and code[1:].isdigit()):
            raise UnsafePickleError(f"an array of dtype {str(code)[:40]!r}, expected numbers")
        dtype = np.dtype("O" if code[0] == "O" else code)

        def finish(state: Any) -> np.dtype:
            order = state[1] if isinstance(state, tuple) and len(state) > 1 else "|"
            order = order.decode("latin1") if isinstance(order, bytes) else order
            return dtype if order == "|" else dtype.newbyteorder(">" if order == ">" else "<")

        return Unfinished(finish)

    return build


def _scalar(dtype: Any, data: Any = b"") -> Any:
    return _array(data, dtype, (1,), "C")[0]


def _number(dtype: Any, data: Any = b"") -> Any:
    return _scalar(dtype, data).item()


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise UnsafePickleError(f"text encoded as {str(encoding)[:40]!r}, expected latin1")
    return text.encode("latin1")


def _no_bytes(*arguments: Any) -> bytes:
    # What protocols 0 to 2 write for b"".
    if arguments:
        raise UnsafePickleError("bytes made from something")
    return b""


def _dict(*arguments: Any) -> dict:
    return dict(*arguments)


def _no_call(*_: Any) -> Any:
    raise UnsafePickleError("an array made by a call of its type")


def array_builders(kinds: str = _NUMBERS, scalars: bool = False) -> dict[tuple[str, str], Callable | Constant]:
    """What the names in numpy's own pickles build, for `orplugins.io.pickle_machine.Machine`.

    Args:
        kinds: Kinds of dtype that are taken, numpy's letters; "O" arrays of whatever else is built.
        scalars: Keep numpy's scalars instead of giving Python's numbers.

    Returns:
        Functions by (module, name).
    """
    out: dict[tuple[str, str], Any] = {
        ("_codecs", "encode"): _encode,
        ("collections", "OrderedDict"): _dict,
        ("builtins", "bytes"): _no_bytes,
        ("__builtin__", "bytes"): _no_bytes,
        ("numpy", "ndarray"): _no_call,
        ("numpy", "dtype"): _dtype_of(kinds),
    }
    for module in ("numpy.core", "numpy._core"):
        out[f"{module}.multiarray", "_reconstruct"] = _empty_array
        out[f"{module}.multiarray", "scalar"] = _scalar if scalars else _number
        out[f"{module}.numeric", "_frombuffer"] = _array
    return out


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
    data = read_bytes(path, "a pickle of arrays")
    try:
        return plain_pickle(data)
    except UnsafePickleError as error:
        raise UnsafePickleError(f"{path}: refused: {error}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def plain_pickle(data: bytes, objects: bool = False) -> Any:
    """Read the same from bytes.

    Args:
        data: The pickle, and nothing behind it.
        objects: Take object arrays too, whose entries are such values.

    Raises:
        UnsafePickleError: It names anything else; nothing of it has been executed.
        ValueError: Not a pickle, or cut off.
    """
    file = io.BytesIO(data)
    try:
        value = read_pickle(file, array_builders(_NUMBERS + "O" if objects else _NUMBERS), types=_PLAIN)
    except UnsafePickleError as error:
        expected = "expected arrays, numbers, text and containers only"
        raise UnsafePickleError(f"{error}, {expected}" if error.name else str(error), error.name) from None
    except ValueError as error:
        raise ValueError(f"not a pickle or cut off: {error}") from None
    if file.tell() != len(data):
        raise ValueError(f"not a pickle or cut off: {len(data) - file.tell()} bytes follow its end")
    return value
