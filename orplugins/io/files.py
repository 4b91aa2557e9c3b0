"""Opening files of others: regular ones only, of a sensible size, text in any of the usual encodings."""

from __future__ import annotations

import codecs
import hashlib
import os
import stat
from pathlib import Path

MOST_BYTES = 1 << 30
# A byte order mark says the encoding; UTF-32's little-endian one begins with UTF-16's, so it comes first.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def require_file(path: str | os.PathLike, expected: str, most_bytes: int = MOST_BYTES) -> Path:
    """Refuse what is not a regular file before anything opens it: a pipe or a device would block or never end.

    Args:
        path: The path.
        expected: What it should be, for the error: "a JSON file".
        most_bytes: Maximum size.

    Returns:
        The path.

    Raises:
        FileNotFoundError: There is nothing, or a link that leads nowhere or in a circle.
        ValueError: A folder, pipe, socket or device, or a file that is too large.
    """
    path = Path(path)
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        if isinstance(error, PermissionError):
            raise
        raise FileNotFoundError(f"{path}: no such file, expected {expected}") from None
    if stat.S_ISDIR(status.st_mode):
        raise ValueError(f"{path}: is a folder, expected {expected}")
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{path}: is a pipe, socket or device, expected {expected}")
    if status.st_size > most_bytes:
        raise ValueError(f"{path}: has {status.st_size} bytes, expected {expected} of at most {most_bytes}")
    return path


def read_bytes(path: str | os.PathLike, expected: str, most_bytes: int = MOST_BYTES) -> bytes:
    """Read a regular file; see `require_file` for arguments and errors."""
    return require_file(path, expected, most_bytes).read_bytes()


def read_text(path: str | os.PathLike, expected: str, most_bytes: int = MOST_BYTES) -> str:
    """Read a text file: UTF-8, or UTF-16 and UTF-32 with a byte order mark.

    Args:
        path: The path.
        expected: What it should be, for the error.
        most_bytes: Maximum size.

    Returns:
        The text, without the mark; line ends are as in the file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: See `require_file`; another encoding, or NUL characters in it.
    """
    data = read_bytes(path, expected, most_bytes)
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 text (byte {error.start}), expected {expected}") from None
    if "\0" in text:
        raise ValueError(f"{path}: has a NUL character at position {text.index(chr(0))}, expected {expected}")
    return text


def sha256_of(path: str | os.PathLike) -> str:
    """SHA-256 of a file, read in parts.

    Args:
        path: The file.

    Returns:
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
