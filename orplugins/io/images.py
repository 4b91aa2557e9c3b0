"""Colour images: files, folders of files, reading, writing.

Images are (H, W, 3) uint8 BGR, upright: a rotation that a file's EXIF entry asks for is applied while reading.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from orplugins.io.atomic import atomic_write
from orplugins.io.files import require_file
from orplugins.io.media_files import open_picture

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm"})


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
        if not entry.exists():
            raise FileNotFoundError(f"{entry}: no such file or folder")
        found += image_files(entry, below=True) if entry.is_dir() else [entry]
    return found


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

    path = require_file(path, "an image")
    try:
        with open_picture(path) as image:
            if image.mode.startswith(("I", "F")):
                raise ValueError(f"values of more than 8 bits (Pillow's mode {image.mode}), expected colour or grey")
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except Exception as error:  # Pillow's decoders raise whatever the broken bytes lead to
        raise ValueError(f"{path}: not a picture, or damaged: {error}") from None
    return np.ascontiguousarray(np.asarray(upright)[:, :, ::-1])


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
    ok, data = cv2.imencode(path.suffix, image)
    if not ok:
        raise ValueError(f"{path}: OpenCV cannot write '{path.suffix}'")
    with atomic_write(path, "wb") as file:
        file.write(data.tobytes())
