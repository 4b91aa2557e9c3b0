"""HDF5 files: data sets that lie in the file itself, of a size that the file can hold.

HDF5 can point to other files (external links, external storage, virtual data sets), in circles, and to data that were
never written; all of that is refused before anything is read.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from orplugins.io.atomic import atomic_path
from orplugins.io.files import require_file

# ITOP's clouds take 18 GB, so a file may be large; what is read at once may not.
_MOST_BYTES = 1 << 40
_MOST_CHUNK = 1 << 26
_DEFLATE = 1032  # no filter that h5py writes saves more


@contextmanager
def open_h5(path: str | os.PathLike) -> Iterator[Any]:
    """Open an HDF5 file for reading; whatever goes wrong inside the block names the file.

    Args:
        path: The file.

    Yields:
        The open file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: No, a truncated or a damaged HDF5 file.
    """
    with h5_errors(path), open_handle(path) as file:
        yield file


def open_handle(path: str | os.PathLike) -> Any:
    """Open an HDF5 file for reading; the caller closes it.

    Args:
        path: The file.

    Returns:
        The open file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: No or a truncated HDF5 file.
    """
    import h5py  # few need it

    path = require_file(path, "HDF5", _MOST_BYTES)
    try:
        return h5py.File(path, "r")
    except Exception as error:  # h5py raises whatever the broken bytes lead to
        raise ValueError(f"{path}: not HDF5 or truncated ({_line(error)})") from None


@contextmanager
def h5_errors(path: str | os.PathLike, where: str = "") -> Iterator[None]:
    """Turn what h5py raises on damaged files (OSError, RuntimeError, KeyError, TypeError, ...) into one clear error.

    Args:
        path: The file.
        where: Part of it, for the error: "row 3: ".

    Raises:
        ValueError: The block raised something; errors that name the file pass.
    """
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        if isinstance(error, (ValueError, OSError)) and str(path) in str(error):
            raise
        raise ValueError(f"{path}: {where}cannot be read, the file is damaged ({_line(error)})") from None


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def dataset(file: Any, key: str, path: str | os.PathLike, shape: tuple, kinds: str, row: bool = False) -> Any:
    """Take a data set, checked.

    Args:
        file: The open file.
        key: Its name.
        path: The file's, for errors.
        shape: Expected sides; None takes any.
        kinds: numpy's letters of the types that are taken.
        row: It is read row by row: a row has to fit the memory, not the whole.

    Returns:
        The data set.

    Raises:
        ValueError: It is missing, a link or a group, lies elsewhere, has another shape or type, or is larger than what
            the file holds.
    """
    import h5py

    if key not in file:
        raise ValueError(f"{path}: missing key '{key}', found {', '.join(sorted(file)) or 'none'}")
    if not isinstance(file.get(key, getlink=True), h5py.HardLink):
        raise ValueError(f"{path}: '{key}' is a link to elsewhere, expected data in the file itself")
    data = file[key]
    if not isinstance(data, h5py.Dataset) or data.shape is None:
        raise ValueError(f"{path}: '{key}' is a group or empty, expected a data set")
    fits = len(data.shape) == len(shape) and all(b in (None, a) for a, b in zip(data.shape, shape, strict=True))
    if not fits:
        wanted = ", ".join("any" if n is None else str(n) for n in shape)
        raise ValueError(f"{path}: '{key}' has shape {data.shape}, expected ({wanted})")
    if data.dtype.kind not in kinds:
        raise ValueError(f"{path}: '{key}' is {data.dtype}, expected {' or '.join(_NAMES[kind] for kind in kinds)}")
    if data.is_virtual or data.external:
        raise ValueError(f"{path}: '{key}' lies in another file, expected data in the file itself")
    _check_size(data, f"{path}: '{key}'", row)
    return data


_NAMES = {
    "f": "floating-point numbers",
    "i": "whole numbers",
    "u": "unsigned whole numbers",
    "b": "booleans",
    "S": "text",
}


def _check_size(data: Any, where: str, row: bool) -> None:
    size, stored = math.prod(data.shape) * data.dtype.itemsize, data.id.get_storage_size()
    at_once = size // max(data.shape[0], 1) if row and data.shape else size
    chunk = math.prod(data.chunks) * data.dtype.itemsize if data.chunks else 0
    if at_once > _MOST_CHUNK * (1 if row else 8) or chunk > _MOST_CHUNK:
        raise ValueError(f"{where} has shape {data.shape}, chunks {data.chunks}: too large to read")
    # Chunks at the border are stored whole, so more may lie in the file than the shape says.
    if size > (stored * _DEFLATE if data.chunks else stored):
        raise ValueError(f"{where} has shape {data.shape}, {size} bytes, but the file holds {stored} of them")


@contextmanager
def new_h5(path: str | os.PathLike) -> Iterator[Any]:
    """Write a HDF5 file that appears under its name only when it is complete.

    Args:
        path: The file.

    Yields:
        The open file; its further method ``require_written()`` raises what went wrong with the disk so far.

    Raises:
        OSError: It cannot be written.
    """
    import h5py

    with atomic_path(path) as temporary, open(temporary, "r+b", buffering=0) as raw:
        target = _Patient(raw, os.fspath(path))
        try:
            with h5py.File(target, "w") as file:
                file.require_written = target.require_written
                yield file
        finally:
            target.require_written()


class _Patient:
    """A file for HDF5, whose library ends the process if a write fails: it is told that all is well, and we note it.

    What could not be written is kept, for the library reads back what it wrote.
    """

    def __init__(self, file: IO[bytes], name: str):
        self._file, self._name = file, name
        self._at = self._end = 0
        self._lost: list[tuple[int, bytes]] = []
        self._error: OSError | None = None

    def require_written(self) -> None:
        if self._error is not None:
            raise OSError(self._error.errno, self._error.strerror, self._name) from None

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._end)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def write(self, data: Any) -> int:
        data = bytes(data)
        try:
            if self._error is None:
                self._file.seek(self._at)
                done = 0
                while done < len(data):
                    done += self._file.write(data[done:])
        except OSError as error:
            self._error = error
        if self._error is not None:
            self._lost.append((self._at, data))
        self._at += len(data)
        self._end = max(self._end, self._at)
        return len(data)

    def read(self, size: int) -> bytes:
        content = bytearray(size)
        self.readinto(content)
        return bytes(content)

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        self._file.seek(self._at)
        content = bytearray(self._file.read(len(view)).ljust(len(view), b"\0"))
        for start, data in self._lost:
            first, last = max(start, self._at), min(start + len(data), self._at + len(view))
            if first < last:
                content[first - self._at : last - self._at] = data[first - start : last - start]
        view[:] = content
        self._at += len(view)
        return len(view)

    def truncate(self, size: int) -> int:
        self._end = size
        try:
            return self._file.truncate(size)
        except OSError as error:
            self._error = self._error or error
            return size

    def flush(self) -> None:
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            self._error = self._error or error
