"""Files that are either written whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


@contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Give a temporary file next to `path`, which is renamed to `path` when the block ends without an error.

    A reader, or a run that is killed half-way, never sees a partial file: until the rename the old content stays. For
    libraries that want a file's name; see `atomic_write` for an open file.

    Args:
        path: Path of the file to write. Missing parent folders are created.

    Yields:
        An empty file with the same suffix.

    Raises:
        IsADirectoryError: The path is a folder.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path}: is a folder, expected the path of a file to write")
    path.parent.mkdir(parents=True, exist_ok=True)
    # The same folder, because a rename is atomic only within one file system. The suffix is kept, since numpy, OpenCV
    # and others choose the format by it.
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=f".tmp{path.suffix}")
    except OSError as error:
        error.filename = str(path)  # nobody knows the temporary name
        raise
    os.close(handle)
    try:
        yield Path(temporary)
        os.chmod(temporary, _permissions(path))
        os.replace(temporary, path)
    except BaseException as error:
        os.unlink(temporary)
        if isinstance(error, OSError) and error.errno is not None and error.filename is None:
            error.filename = str(path)  # a full disk's message alone does not say which file was being written
        raise


@contextmanager
def atomic_write(path: str | os.PathLike, mode: str = "w") -> Iterator[IO]:
    """Open a file that appears under its name only when the block ends without an error; see `atomic_path`.

    Args:
        path: Path of the file to write. Missing parent folders are created.
        mode: "w" (text, UTF-8), "wb" (bytes).

    Yields:
        The open temporary file.

    Raises:
        ValueError: Another mode: appending or reading makes no sense for a file that is replaced.
        IsADirectoryError: The path is a folder.
    """
    if mode not in ("w", "wb"):
        raise ValueError(f"atomic_write: mode is {mode!r}, expected 'w' or 'wb'")
    with atomic_path(path) as temporary, open(temporary, mode, encoding=None if "b" in mode else "utf-8") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def write_json(path: str | os.PathLike, obj: Any, indent: int | None = None) -> None:
    """Write an object as JSON, atomically.

    Args:
        path: Path of the file to write.
        obj: What to write; JSON values.
        indent: Spaces per level; None writes one line.

    Raises:
        ValueError: NaN or infinity, which JSON does not have.
    """
    text = json.dumps(obj, indent=indent, allow_nan=False)
    with atomic_write(path) as file:
        file.write(text + "\n")


def write_first(path: str | os.PathLike, obj: Any) -> bool:
    """Write an object as JSON unless the file is there; of several processes one does.

    Args:
        path: Path of the file. Missing parent folders are created.
        obj: What to write; JSON values.

    Returns:
        Whether it was written.
    """
    path = Path(path)
    if path.exists():
        return False
    whole = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    write_json(whole, obj)
    try:
        os.link(whole, path)  # fails if the name is taken, which a rename does not
        return True
    except FileExistsError:
        return False
    except OSError:  # a file system without links
        if path.exists():
            return False
        os.replace(whole, path)
        return True
    finally:
        whole.unlink(missing_ok=True)


def _permissions(path: Path) -> int:
    """Permission bits of the file that is replaced, or those a plain `open` would give (mkstemp gives 0600)."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
