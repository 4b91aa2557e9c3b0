"""A video of a variable frame rate, made of one of a constant rate by its table of durations."""

from __future__ import annotations

import struct
from pathlib import Path


def with_durations(path: Path, durations: list[int]) -> None:
    """Give an MP4 that OpenCV wrote a duration, in its own ticks times the old one, for each frame.

    Args:
        path: The file, changed in place; its header lies behind the frames.
        durations: How many times longer each frame is shown than before.
    """
    data = bytearray(path.read_bytes())
    at = data.index(b"stts") - 4
    size, count, delta = *struct.unpack(">I", data[at : at + 4]), *struct.unpack(">II", data[at + 16 : at + 24])
    assert size == 24 and count == len(durations), "one entry for all frames"
    table = b"".join(struct.pack(">II", 1, delta * times) for times in durations)
    box = struct.pack(">I4sII", 16 + len(table), b"stts", 0, len(durations)) + table
    grown = len(box) - size
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
        start = data.index(name) - 4
        data[start : start + 4] = struct.pack(">I", struct.unpack(">I", data[start : start + 4])[0] + grown)
    data[at : at + size] = box
    for name in (b"mdhd", b"tkhd", b"mvhd"):  # durations of media, track, and movie
        start = data.index(name) + 4
        place = start + {b"mdhd": 16, b"tkhd": 20, b"mvhd": 16}[name]
        old = struct.unpack(">I", data[place : place + 4])[0]
        data[place : place + 4] = struct.pack(">I", old * sum(durations) // len(durations))
    elst = data.find(b"elst")
    if elst > 0:
        place = elst + 12
        old = struct.unpack(">I", data[place : place + 4])[0]
        data[place : place + 4] = struct.pack(">I", old * sum(durations) // len(durations))
    path.write_bytes(bytes(data))
