"""A job's output folder: one job at a time, free of what killed jobs left, writable before the work starts."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_LOCK = ".running"
_LEFTOVER = re.compile(r"\..+\.[a-z0-9_]{8}\.tmp(\.\w+)?")  # names of orplugins.io.atomic


@contextmanager
def run_folder(folder: str | os.PathLike, below: bool = True) -> Iterator[Path]:
    """Take a folder for the time of a job.

    Of two jobs one gets it and the other an error. The system releases the lock of a killed job; the files that it was
    just writing are removed here.

    Args:
        folder: Made if it is missing.
        below: Remove such files from subfolders, too.

    Yields:
        The folder.

    Raises:
        ValueError: Another job is writing to it.
        OSError: It cannot be made or written to.
    """
    folder = Path(folder)
    require_writable(folder)
    lock = lock_file(folder / _LOCK, f"{folder}: another run is writing to this folder")
    try:
        remove_leftovers(folder, below)
        yield folder
    finally:
        with suppress(OSError):
            os.unlink(folder / _LOCK)
        lock.close()


def lock_file(path: str | os.PathLike, message: str) -> IO[bytes]:
    """Lock a file, which is made if it is missing, until it is closed or the process ends.

    Args:
        path: The file.
        message: What is wrong if another process has locked it.

    Returns:
        The open file.

    Raises:
        ValueError: Another process has locked it.
    """
    while True:
        file = open(path, "ab")
        try:
            _lock(file)
        except (BlockingIOError, PermissionError):
            file.close()
            raise ValueError(f"{message}; wait until it has ended, or choose another place") from None
        except OSError:  # a file system without locks: nobody can be told apart there
            return file
        with suppress(OSError):
            if os.stat(path).st_ino == os.fstat(file.fileno()).st_ino:
                return file
        file.close()  # who had it removed it in between


def _lock(file: IO[bytes]) -> None:
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        return
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def require_writable(folder: str | os.PathLike) -> None:
    """Make a folder, and a file in it that is gone again.

    Args:
        folder: Made if it is missing.

    Raises:
        OSError: A file is in its place, it is read-only, or the disk is full.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder}: is a file, expected a folder to write to")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * 4096)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror}: nothing can be written there", str(folder)) from None


def remove_leftovers(folder: str | os.PathLike, below: bool = True, stem: str = "") -> None:
    """Remove the temporary files of `orplugins.io.atomic` that killed processes left.

    Args:
        folder: Where no other process is writing.
        below: In subfolders, too.
        stem: Only those of files of this name without suffix, where others may be writing, too.
    """
    for place, folders, files in os.walk(str(folder)):
        for name in files:
            if _LEFTOVER.fullmatch(name) and name.startswith(f".{stem}"):
                with suppress(OSError):
                    os.unlink(os.path.join(place, name))
        if not below:
            folders.clear()
