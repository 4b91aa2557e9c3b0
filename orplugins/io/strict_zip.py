"""Zip archives that mean one thing only: every byte of the file belongs to one entry or to the one directory.

Readers of zip differ in which of two directories, headers or entries they believe. Here all must agree, or the file is
refused: comments, gaps, other data before or behind, repeated names, encrypted entries. Compressed ones are not read.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, replace
from typing import IO

_LOCAL, _CENTRAL, _END, _END64, _LOCATOR = b"PK\3\4", b"PK\1\2", b"PK\5\6", b"PK\6\6", b"PK\6\7"
_MANY16, _MANY32 = 0xFFFF, 0xFFFFFFFF
_DESCRIBED, _UTF8 = 0x8, 0x800
_MOST_ENTRIES, _LONGEST_NAME = 1 << 20, 1024
_LONGEST_DIRECTORY = 1 << 27
_CHUNK = 1 << 24


@dataclass(frozen=True)
class Entry:
    """A file in the archive.

    Attributes:
        start: Position of its data.
        size: Their number of bytes.
        crc: Their checksum.
        packed: Their number of bytes in the archive.
        method: How they are compressed; 0: not.
    """

    start: int
    size: int
    crc: int
    packed: int
    method: int


def zip_entries(file: IO[bytes]) -> dict[str, Entry]:
    """Read an archive's directory, and compare it with the headers in front of the entries.

    Args:
        file: A binary file that can be sought.

    Returns:
        The entries by name, in the order of the file.

    Raises:
        ValueError: Cut off, or anything that two readers could understand differently.
    """
    size = file.seek(0, 2)
    count, start, length, end = _end_record(file, size)
    if start + length != end or count > min(_MOST_ENTRIES, length // 46) or length > _LONGEST_DIRECTORY:
        raise ValueError("its directory is not where the end of the file says")
    directory = _read(file, start, length)
    found: list[tuple[int, str, Entry]] = []
    position = reached = 0
    for _ in range(count):
        name, offset, entry, flags, used = _central(directory, position)
        position += used
        if offset != reached:
            raise ValueError(f"something lies in front of its entry {name!r}, or entries overlap")
        data = _check_local(file, offset, name, entry, flags)
        reached = data + entry.packed
        if reached > start:
            raise ValueError(f"its entry {name!r} reaches beyond the archive")
        if flags & _DESCRIBED:
            reached += _descriptor(file, reached, entry)
        found.append((offset, name, replace(entry, start=data)))
    if position != length or reached != start:
        raise ValueError("something lies between its entries and its directory")
    names = [name.casefold() for _, name, _ in found]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it has two entries {twice!r}")
    return {name: entry for _, name, entry in found}


def read_entry(file: IO[bytes], name: str, entry: Entry, into: memoryview) -> None:
    """Read an entry's data.

    Args:
        file: The archive.
        name: The entry's name, for errors.
        entry: The entry.
        into: Where to, as many bytes.

    Raises:
        ValueError: Their checksum is another.
    """
    if entry.method or entry.packed != entry.size:
        raise ValueError(f"its entry {name!r} is compressed; expected entries stored as they are")
    file.seek(entry.start)
    crc = 0
    for start in range(0, entry.size, _CHUNK):
        part = into[start : start + _CHUNK]
        if file.readinto(part) != len(part):  # type: ignore[attr-defined]
            raise ValueError(f"its entry {name!r} is cut off")
        crc = zlib.crc32(part, crc)
    if crc != entry.crc:
        raise ValueError(f"its entry {name!r} is damaged: checksum {crc:08x}, expected {entry.crc:08x}")


def _read(file: IO[bytes], start: int, count: int) -> bytes:
    file.seek(start)
    data = file.read(count)
    if len(data) != count:
        raise ValueError("it is cut off")
    return data


def _end_record(file: IO[bytes], size: int) -> tuple[int, int, int, int]:
    """(number of entries, start, length, what must follow at) of the directory."""
    if size < 22 or (end := _read(file, size - 22, 22))[:4] != _END:
        raise ValueError("it is cut off, or a comment or other data follow its directory")
    disk, first, here, count, length, start, comment = struct.unpack("<4H2IH", end[4:])
    if disk or first or here != count or comment:
        raise ValueError("it has a comment, or is in several parts")
    if size < 22 + 20 + 56 or (locator := _read(file, size - 42, 20))[:4] != _LOCATOR:
        return count, start, length, size - 22
    disk, at, disks = struct.unpack("<IQI", locator[4:])
    record = _read(file, size - 98, 56)
    length64, _, _, disk64, first64, here64, count64, size64, start64 = struct.unpack("<QHHIIQQQQ", record[4:])
    if record[:4] != _END64 or at != size - 98 or length64 != 44 or here64 != count64:
        raise ValueError("its two records of the directory do not fit")
    if disk or disks > 1 or disk64 or first64:
        raise ValueError("it is in several parts")
    pairs = ((count, count64, _MANY16), (length, size64, _MANY32), (start, start64, _MANY32))
    if any(short not in (long, many) for short, long, many in pairs):
        raise ValueError("its two records of the directory differ")
    return count64, start64, size64, size - 98


def _central(directory: bytes, at: int) -> tuple[str, int, Entry, int, int]:
    """(name, position of its header, entry, flags, bytes used) of a directory's record."""
    record = directory[at : at + 46]
    if len(record) < 46 or record[:4] != _CENTRAL:
        raise ValueError("its directory is damaged")
    _, _, flags, method, _, _, crc, packed, size, n, m, comment, disk, _, _, offset = struct.unpack(
        "<6H3I5H2I", record[4:]
    )
    raw = directory[at + 46 : at + 46 + n]
    extra = directory[at + 46 + n : at + 46 + n + m]
    if len(raw) < n or len(extra) < m or n > _LONGEST_NAME or not n:
        raise ValueError("its directory is damaged")
    name = _name(raw)
    if comment or disk or flags & ~(_DESCRIBED | _UTF8):
        raise ValueError(f"its entry {name!r} has a comment, or is encrypted")
    wide = iter(_wide(extra))
    size, packed, offset = (next(wide, -1) if value == _MANY32 else value for value in (size, packed, offset))
    if min(size, packed, offset) < 0:
        raise ValueError(f"its entry {name!r} has no size or place")
    return name, offset, Entry(0, size, crc, packed, method), flags, 46 + n + m


def _check_local(file: IO[bytes], offset: int, name: str, entry: Entry, flags: int) -> int:
    """Compare an entry's own header with the directory; gives the position of its data."""
    record = _read(file, offset, 30)
    if record[:4] != _LOCAL:
        raise ValueError(f"no entry begins where its directory has {name!r}")
    _, flags_here, method, _, _, crc, packed, size, n, m = struct.unpack("<5H3I2H", record[4:])
    raw, extra = _read(file, offset + 30, n), _read(file, offset + 30 + n, m)
    wide = iter(_wide(extra))
    size, packed = (next(wide, -1) if value == _MANY32 else value for value in (size, packed))
    later = flags & _DESCRIBED and crc == 0 and {size, packed} <= {0}
    same = (size, packed, crc) == (entry.size, entry.packed, entry.crc)
    if _name(raw) != name or flags_here != flags or method != entry.method or not (same or later):
        raise ValueError(f"its directory and its entry {name!r} differ")
    return offset + 30 + n + m


def _descriptor(file: IO[bytes], at: int, entry: Entry) -> int:
    """Length of the record behind an entry whose header was written before its data."""
    file.seek(at)
    data = file.read(24)
    sizes = entry.packed, entry.size
    short = (min(size, _MANY32) for size in sizes)
    for numbers in (struct.pack("<III", entry.crc, *short), struct.pack("<IQQ", entry.crc, *sizes)):
        for record in (b"PK\7\10" + numbers, numbers):
            if data.startswith(record):
                return len(record)
    raise ValueError("what follows one of its entries is not that entry's record")


def _wide(extra: bytes) -> list[int]:
    """The 64-bit numbers in an entry's extra field."""
    while len(extra) >= 4:
        kind, length = struct.unpack("<HH", extra[:4])
        if kind == 1:
            field = extra[4 : 4 + length]
            return [value for (value,) in struct.iter_unpack("<Q", field[: len(field) // 8 * 8])]
        extra = extra[4 + length :]
    return []


def _name(raw: bytes) -> str:
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("the name of an entry is not UTF-8") from None
    if not name.isprintable():
        raise ValueError(f"the name of an entry is {ascii(name)[:80]}")
    return name
