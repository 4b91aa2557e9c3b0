"""Opening pictures and videos of others: of the forms that cameras write, and no larger than they are."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from orplugins.io.files import require_file

if TYPE_CHECKING:
    from PIL import Image

MOST_PIXELS = 100_000_000
# Pillow's readers of the suffixes in `orplugins.io.images`, and of GIF. Its dozens of others are for files that no
# camera writes.
FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP", "PPM", "GIF")
# How videos begin: MP4 and QuickTime, AVI, Matroska, MPEG, Windows Media. FFmpeg would also follow a play list, which
# names other files and addresses, whatever its suffix.
_CONTAINERS = ((4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (4, b"wide"), (4, b"free"), (4, b"skip"), (0, b"RIFF"),
               (0, b"\x1aE\xdf\xa3"), (0, b"\0\0\1"), (0, b"G"), (0, b"0&\xb2u"))  # fmt: skip


class _Bounded(io.BufferedReader):
    """A file of which no more is asked for than it has: Python would make room for all that a header claims."""

    def __init__(self, path: Path):
        super().__init__(io.FileIO(path))
        self._size = os.fstat(self.fileno()).st_size

    def read(self, size: int | None = -1) -> bytes:
        if size is not None and size > io.DEFAULT_BUFFER_SIZE:
            size = max(min(size, self._size - self.tell()), 0)
        return super().read(size)


@contextmanager
def open_picture(path: str | os.PathLike) -> Iterator[Image.Image]:
    """Open a picture by its header; pixels are read when they are asked for.

    Args:
        path: The file.

    Yields:
        Pillow's image.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: No regular file, or more than 100 million pixels.
        Exception: Pillow raises whatever broken bytes lead to; the caller says which file it was.
    """
    from PIL import Image, UnidentifiedImageError

    path = require_file(path, "an image")
    with warnings.catch_warnings(), _Bounded(path) as file:
        warnings.simplefilter("ignore")  # Pillow's, of large or slightly damaged pictures
        try:
            image = Image.open(file, formats=FORMATS)
        except UnidentifiedImageError:
            raise ValueError(f"of none of the formats {', '.join(FORMATS)}") from None
        with image:
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(f"{image.width}x{image.height} pixels, expected at most {MOST_PIXELS}")
            yield image


def require_video(path: str | os.PathLike) -> Path:
    """Refuse what is no video by its first bytes, before FFmpeg looks at it.

    Args:
        path: The file.

    Returns:
        The path.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: No regular file, or of another form.
    """
    path = require_file(path, "a video", most_bytes=1 << 50)
    with open(path, "rb") as file:
        start = file.read(12)
    if not any(start[at:].startswith(mark) for at, mark in _CONTAINERS):
        raise ValueError(f"{path}: not a video, or of a form that is not known here")
    return path
