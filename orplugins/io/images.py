"""Colour images: files, folders of files, reading, writing.

Images are (H, W, 3) uint8 BGR, upright: a rotation that a file's EXIF entry asks for is applied while reading.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from orplugins.io.atomic import atomic_write
from orplugins.io.files import require_file
from orplugins.io.media_files import open_picture

if TYPE_CHECKING:
    from PIL import Image

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm"})
_ORIENTATION = 0x0112  # EXIF; 5 to 8 exchange width and height


def natural_key(path: str | os.PathLike) -> list:
    """Sorting key by which ``frame_10`` comes after ``frame_9``.

    Args:
        path: A path or name.

    Returns:
        A list that compares as wanted.
    """
    return [(int(part), "") if part.isdigit() else (-1, part.lower()) for part in re.split(r"(\d+)", str(path))]


def image_files(folder: str | os.PathLike, below: bool = False) -> list[Path]:
    """The images of a folder in natural order; hidden files are left out.

    Args:
        folder: The folder.
        below: Include its subfolders.

    Returns:
        Paths below ``folder``, at least one.

    Raises:
        FileNotFoundError: No such folder, or no image in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder, expected one of images")
    entries = folder.rglob("*") if below else folder.iterdir()
    paths = [path for path in entries if path.suffix.lower() in IMAGE_SUFFIXES and path.name[0] != "."]
    if not paths:
        raise FileNotFoundError(f"{folder}: no picture, expected files ending in {', '.join(sorted(IMAGE_SUFFIXES))}")
    return sorted(paths, key=lambda path: natural_key(path.relative_to(folder).as_posix()))


def find_pictures(inputs: Sequence[str | os.PathLike]) -> list[Path]:
    """Find the image files that paths stand for.

    Args:
        inputs: Files, which are taken as they are, and folders, whose images are taken with those of their subfolders
            (see `image_files`).

    Returns:
        Paths in the order of the inputs.

    Raises:
        FileNotFoundError: No such file or folder, or a folder without images.
    """
    found = []
    for entry in map(Path, inputs):
        if not os.path.lexists(entry):  # a link that leads nowhere is reported with the other damaged images
            raise FileNotFoundError(f"{entry}: no such file or folder")
        found += image_files(entry, below=True) if entry.is_dir() else [entry]
    return found


def image_path(root: str | os.PathLike, name: str, where: str) -> Path:
    r"""Join a folder and a name that a file gives, which may not lead out of it.

    Args:
        root: The folder; an empty one stands for none, and allows every name.
        name: A path relative to it, ``\\`` counts as ``/``; an absolute one must lie below it.
        where: File and field, for the error.

    Returns:
        The path.

    Raises:
        ValueError: The name leads elsewhere.
    """
    plain = name.replace("\\", "/")
    if not str(root):
        return Path(plain)
    base = os.path.normpath(os.path.abspath(root))
    full = os.path.normpath(os.path.join(base, plain))
    if re.match("[A-Za-z]:/", plain) or "\0" in plain or os.path.commonpath([base, full]) != base:
        raise ValueError(f"{where}: 'file_name' is {name!r}, which leads out of {root}, expected a path below it")
    return Path(root) / os.path.relpath(full, base)


def read_image(path: str | os.PathLike) -> np.ndarray:
    """Read an image; transparency is dropped, grey is repeated in three channels.

    Args:
        path: The file.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Not an image, cut off, of more than 8 bits, or of more than 100 million pixels.
    """
    from PIL import ImageOps

    with _opened(path) as image:
        if image.mode.startswith(("I", "F")):
            raise ValueError(f"values of more than 8 bits (Pillow's mode {image.mode}), expected colour or grey")
        upright = ImageOps.exif_transpose(image).convert("RGB")
    return np.ascontiguousarray(np.asarray(upright)[:, :, ::-1])


def image_size(path: str | os.PathLike) -> tuple[tuple[int, int], bool]:
    """Size of an image by its header.

    Args:
        path: The file.

    Returns:
        (width, height) of the upright image, and whether its EXIF entry exchanges the stored ones.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Not an image, or of more than 100 million pixels.
    """
    with _opened(path) as image:
        turned = image.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8)
        return (image.size[::-1] if turned else image.size), turned


@contextmanager
def _opened(path: str | os.PathLike) -> Iterator[Image.Image]:
    """Open an image whose header is sensible; whatever goes wrong in the block becomes one ValueError."""
    path = require_file(path, "an image")
    try:
        with open_picture(path) as image:
            yield image
    except PermissionError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever the broken bytes lead to
        raise ValueError(f"{path}: not a picture, or damaged: {error}") from None


def write_image(path: str | os.PathLike, image: np.ndarray) -> None:
    """Write an image, whole or not at all.

    Args:
        path: The file; its suffix chooses the format.
        image: (H, W, 3) uint8 BGR.

    Raises:
        ValueError: OpenCV does not write such a format.
    """
    import cv2

    path = Path(path)
    try:
        ok, data = cv2.imencode(path.suffix, image)
    except cv2.error:  # a suffix that it does not know, or an empty image
        ok = False
    if not ok:
        raise ValueError(f"{path}: OpenCV cannot write '{path.suffix}'")
    with atomic_write(path, "wb") as file:
        file.write(data.tobytes())
