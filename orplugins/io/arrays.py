"""numpy's files, npy and npz, read by their format's few rules.

A header is compared with the bytes that follow it before anything is allocated, an archive's table with what its
members can hold; numpy's own reader and zipfile raise a dozen kinds of errors, or fill the memory, on what is refused
here.
"""

from __future__ import annotations

import io
import math
import os
import re
import struct
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from orplugins.io.files import read_bytes
from orplugins.io.safe_pickle import plain_pickle

MOST_BYTES = 1 << 29
_MAGIC = b"\x93NUMPY"
_LONGEST_HEADER = 10_000
# In any order; Python 2 wrote long integers as 3L.
_FIELD = re.compile(r"'(descr|fortran_order|shape)': ?('[<>|=]?[A-Za-z]\d{0,9}'|True|False|\([\d L,]*\)),? ?", re.ASCII)
# Booleans, numbers, texts, and objects (whose pickles the callers' own reader takes); no records, no dates.
_KINDS = "biufSUO"
# The highest share that deflate can save: more is a claim that the member cannot keep.
_DEFLATE = 1032


def load_npy(path: str | os.PathLike) -> np.ndarray:
    """Read an npy file.

    Args:
        path: The file.

    Returns:
        The array; numbers, booleans or text.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Another or a damaged file, pickled objects in it, or a shape that does not fit its size.
    """
    data = read_bytes(path, "an npy file", MOST_BYTES)
    try:
        return parse_npy(data)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def load_npz(path: str | os.PathLike, names: Collection[str] | None = None, objects: bool = False) -> dict[str, Any]:
    """Read arrays of an npz file.

    Args:
        path: The file.
        names: Entries to read, those that are there; None: all.
        objects: Take pickled entries of plain values too; a 0-d one gives its object. Nothing of them is executed.

    Returns:
        Arrays by name.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Another or a damaged file, pickled objects in it, or a shape that does not fit its size.
    """
    data = read_bytes(path, "an npz file", MOST_BYTES)
    try:
        return _members(data, names, objects)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def npz_names(path: str | os.PathLike) -> set[str]:
    """Names of the arrays in an npz file; none if it is no such file.

    Args:
        path: The file.

    Returns:
        Names.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The path is no regular file.
    """
    data = read_bytes(path, "an npz file", MOST_BYTES)
    try:
        return {info.filename.removesuffix(".npy") for info in _table(data)[1]}
    except ValueError:
        return set()


def parse_npy(data: bytes | bytearray, objects: bool = False) -> Any:
    """Read an array from the content of an npy file.

    Args:
        data: The content. The array shares a bytearray's memory.
        objects: See `load_npz`.

    Returns:
        The array, or the object of a 0-d array of objects.

    Raises:
        ValueError: See `load_npy`; the message names no file.
    """
    shape, fortran, dtype, start = _header(data)
    if dtype.hasobject:
        if not objects:
            raise ValueError("holds pickled objects, expected plain arrays")
        value = plain_pickle(bytes(data[start:]), objects=True)
        return value.item() if isinstance(value, np.ndarray) and value.shape == () else value
    count = math.prod(shape)
    size, found = count * dtype.itemsize, len(data) - start
    if size != found:
        raise ValueError(f"has {found} bytes of data, expected {size} for the shape {shape} of its header")
    # An empty array may still have sides that no loop over them would survive.
    if not count and any(side > 1_000_000 for side in shape):
        raise ValueError(f"has the shape {shape} in its header, but no data")
    data = data if isinstance(data, bytearray) else bytearray(data)
    return np.frombuffer(data, dtype, count, start).reshape(shape, order="F" if fortran else "C")


def _header(data: bytes | bytearray) -> tuple[tuple[int, ...], bool, np.dtype, int]:
    if bytes(data[:6]) != _MAGIC or len(data) < 12:
        raise ValueError("not a npy array or cut off")
    version = (data[6], data[7])
    if version not in ((1, 0), (2, 0), (3, 0)):
        raise ValueError(f"npy version is {version[0]}.{version[1]}, expected 1.0, 2.0 or 3.0")
    start, length = (
        (10, struct.unpack("<H", data[8:10])[0]) if version == (1, 0) else (12, struct.unpack("<I", data[8:12])[0])
    )
    text = bytes(data[start : start + min(length, _LONGEST_HEADER)]).decode("latin1")
    fields = dict(_FIELD.findall(text))
    try:
        if len(fields) < 3 or _FIELD.sub("", text, 3).strip() not in ("{}", "{ }"):
            raise ValueError
        dtype = np.dtype(fields["descr"].strip("'"))
        shape = tuple(int(side) for side in fields["shape"].strip("()").replace("L", "").split(",") if side.strip())
        fortran = {"True": True, "False": False}[fields["fortran_order"]]
    except (KeyError, TypeError, ValueError):
        raise ValueError(
            f"npy header is {text[:80]!r}, expected descr, fortran_order and shape of a plain array"
        ) from None
    if dtype.kind not in _KINDS or not dtype.itemsize or len(shape) > 16 or any(side >= 2**31 for side in shape):
        raise ValueError(f"npy header says {dtype} {shape}, expected numbers or text of a sensible shape")
    return shape, fortran, dtype, start + length


def _table(data: bytes) -> tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except Exception as error:  # zipfile raises whatever the broken bytes lead to
        raise ValueError(f"not an npz archive or cut off ({error})") from None
    members = archive.infolist()
    if len({info.filename for info in members}) < len(members):
        raise ValueError("an npz archive with two entries of one name")
    if sum(info.file_size for info in members) > MOST_BYTES:
        raise ValueError(f"an npz archive of more than {MOST_BYTES} bytes")
    for info in members:
        stored = info.compress_size * (_DEFLATE if info.compress_type == zipfile.ZIP_DEFLATED else 1) + 1000
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.file_size > stored:
            raise ValueError(f"entry '{_short(info)}' is damaged, or packed in a way that numpy does not write")
    return archive, members


def _members(data: bytes, names: Collection[str] | None, objects: bool) -> dict[str, Any]:
    archive, members = _table(data)
    out = {}
    for info in members:
        name = info.filename.removesuffix(".npy")
        if names is not None and name not in names:
            continue
        content = bytearray(info.file_size)
        try:
            with archive.open(info) as member:
                size = member.readinto(content)  # type: ignore[attr-defined]
                while size < len(content) and (part := member.read(len(content) - size)):
                    content[size : size + len(part)] = part
                    size += len(part)
                damaged = "" if size == len(content) and not member.read(1) else "another size than the archive says"
        except Exception as error:  # as above: zlib's errors, RuntimeError for encrypted ones, ...
            damaged = str(error)
        if damaged:
            raise ValueError(f"entry '{_short(info)}' is damaged: {damaged}")
        try:
            out[name] = parse_npy(content, objects)
        except ValueError as error:
            raise ValueError(f"entry '{_short(info)}' cannot be read: {error}") from None
    return out


def _short(info: zipfile.ZipInfo) -> str:
    name = Path(info.filename).name.removesuffix(".npy")
    return ascii(name[:60])[1:-1]
