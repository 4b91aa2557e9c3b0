"""Archives are read only where every reader of zip would see the same in them."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from orplugins.io.strict_zip import read_entry, zip_entries


class Pipe(io.RawIOBase):
    """What is written to it cannot be gone back to, so that sizes stand behind the entries."""

    def __init__(self):
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        self.data += bytes(data)
        return len(data)


def archive(wide: bool = False) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, data in (("a/x", b"abc"), ("a/y", b"")):
            with file.open(name, "w", force_zip64=wide) as entry:
                entry.write(data)
    return out.getvalue()


def content(data: bytes) -> dict[str, bytes]:
    file, out = io.BytesIO(data), {}
    for name, entry in zip_entries(file).items():
        out[name] = bytearray(entry.size)
        read_entry(file, name, entry, memoryview(out[name]))
    return out


@pytest.mark.parametrize("wide", [False, True])
def test_ordinary_archives_are_read(wide):
    assert content(archive(wide)) == {"a/x": b"abc", "a/y": b""}


def test_sizes_behind_the_entries_are_read():
    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w") as file:
        file.writestr("a/x", b"abc")
        file.writestr("a/y", b"")
    assert content(bytes(pipe.data)) == {"a/x": b"abc", "a/y": b""}


def test_every_cut_and_every_byte_too_many_is_refused():
    data = archive()
    for length in range(len(data)):
        with pytest.raises(ValueError):
            content(data[:length])
    for more in (data + b"\0", b"\0" + data, data + data):
        with pytest.raises(ValueError):
            content(more)


def test_every_changed_byte_of_a_header_is_seen_or_says_nothing():
    """A change that is not refused is one that no reader goes by: versions, times, attributes."""
    data = archive()
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 0x55
        try:
            found = content(bytes(changed))
        except ValueError:
            continue
        assert found == {"a/x": b"abc", "a/y": b""}


def test_a_directory_of_absurd_size_is_refused_before_it_is_read():
    end = struct.pack("<4H2IH", 0, 0, 65535, 65535, 0xFFFFFFF0, 0, 0)
    with pytest.raises(ValueError, match="its directory is not where"):
        zip_entries(io.BytesIO(b"PK\5\6" + end))
