"""MATLAB 5 files: numeric matrices of the file's top level, nothing else.

Written after MathWorks' description of the format ("MAT-File Format", version 5): a header of 128 bytes, then elements
of a type, a size and data, padded to 8 bytes; an element may be a zlib stream of another.
"""

from __future__ import annotations

import math
import os
import struct
import zlib
from collections.abc import Collection, Iterator

import numpy as np

from orplugins.io.files import read_bytes

MOST_BYTES = 1 << 28
_MATRIX, _COMPRESSED = 14, 15
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
# Classes of arrays: double, single, and integers of 8 to 64 bits; text, cells, structures, sparse ones are left out.
_CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
_COMPLEX = 0x800


def load_matrices(path: str | os.PathLike, names: Collection[str]) -> dict[str, np.ndarray]:
    """Read real numeric matrices.

    Args:
        path: The file.
        names: Variables to read; those that are there are given.

    Returns:
        Matrices by name.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Not a MATLAB 5 file, cut off or damaged.
    """
    data = read_bytes(path, "a MATLAB 5 file", MOST_BYTES)
    try:
        if len(data) < 136 or data[126:128] not in (b"IM", b"MI"):
            raise ValueError("not a MATLAB 5 file")
        order = "<" if data[126:128] == b"IM" else ">"
        out = {}
        for kind, content in _elements(data, 128, order):
            if kind == _COMPRESSED:
                kind, content = next(_elements(_inflated(content), 0, order), (0, b""))
            if kind != _MATRIX:
                raise ValueError(f"found an element of type {kind}, expected matrices")
            name, matrix = _matrix(content, order, names)
            if matrix is not None:
                out[name] = matrix
        return out
    except ValueError as error:
        raise ValueError(f"{path}: not a MATLAB 5 file, cut off or damaged: {error}") from None


def _inflated(data: bytes) -> bytes:
    stream = zlib.decompressobj()
    try:
        out = stream.decompress(data, MOST_BYTES)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if not stream.eof:
        raise ValueError(f"a compressed variable that is cut off, or of more than {MOST_BYTES} bytes")
    return out


def _elements(data: bytes, at: int, order: str) -> Iterator[tuple[int, bytes]]:
    """Types and contents of a row of elements."""
    while at < len(data):
        if len(data) - at < 8:
            raise ValueError(f"{len(data) - at} bytes behind the last element")
        first, size = struct.unpack(f"{order}II", data[at : at + 8])
        if first >> 16:  # up to four bytes stand in the tag itself
            kind, size, start, end = first & 0xFFFF, first >> 16, at + 4, at + 8
            if size > 4:
                raise ValueError(f"a short element of {size} bytes, expected at most 4")
        else:
            # Compressed elements are not padded.
            kind, start = first, at + 8
            end = start + size + (0 if kind == _COMPRESSED else -size % 8)
        if start + size > len(data):
            raise ValueError(f"an element of {size} bytes, but {len(data) - start} are left")
        yield kind, data[start : start + size]
        at = end


def _matrix(content: bytes, order: str, names: Collection[str]) -> tuple[str, np.ndarray | None]:
    parts = _elements(content, 0, order)
    head = [next(parts, (0, b"")) for _ in range(3)]
    if [kind for kind, _ in head] != [6, 5, 1] or len(head[0][1]) < 8 or len(head[1][1]) % 4:
        raise ValueError("a matrix without flags, sides and name")
    flags = struct.unpack(f"{order}I", head[0][1][:4])[0]
    shape = struct.unpack(f"{order}{len(head[1][1]) // 4}i", head[1][1])
    name = head[2][1].decode("latin1")
    if name not in names:
        return name, None
    where = f"variable '{name}'"
    if flags & 0xFF not in _CLASSES or flags & _COMPLEX:
        raise ValueError(f"{where} is of MATLAB's class {flags & 0xFF}, expected real numbers")
    kind, values = next(parts, (0, b""))
    if kind not in _TYPES or not 1 < len(shape) <= 8 or min(shape) < 0:
        raise ValueError(f"{where} has numbers of type {kind}, sides {shape[:8]}, expected a matrix of numbers")
    stored = np.dtype(order + _TYPES[kind])
    if math.prod(shape) * stored.itemsize != len(values):
        raise ValueError(f"{where} has {len(values)} bytes for the sides {shape}")
    # MATLAB stores whole numbers of a matrix of doubles in fewer bytes.
    array = np.frombuffer(values, stored).astype(_CLASSES[flags & 0xFF])
    return name, array.reshape(shape, order="F")
