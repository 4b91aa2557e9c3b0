"""Colour pictures: files, folders of files, reading, writing.

Pictures are (H, W, 3) uint8 BGR, upright: a rotation that a file's EXIF entry asks for is applied while reading.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from orplugins.io.atomic import atomic_write

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm"})
MOST_PIXELS = 100_000_000


def natural_key(path: str | os.PathLike) -> list:
    """Sorting key by which ``frame_10`` comes after ``frame_9``."""
    return [(int(part), "") if part.isdigit() else (-1, part.lower()) for part in re.split(r"(\d+)", str(path))]


def image_files(folder: str | os.PathLike, below: bool = False) -> list[Path]:
    """The pictures of a folder, and with ``below`` of its sub-folders, in natural order; hidden files are left out.

    Raises
    ------
    FileNotFoundError
        No such folder, or no picture in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder, expected one of pictures")
    entries = folder.rglob("*") if below else folder.iterdir()
    paths = [path for path in entries if path.suffix.lower() in IMAGE_SUFFIXES and path.name[0] != "."]
    if not paths:
        raise FileNotFoundError(f"{folder}: no picture, expected files ending in {', '.join(sorted(IMAGE_SUFFIXES))}")
    return sorted(paths, key=lambda path: natural_key(path.relative_to(folder).as_posix()))


def find_pictures(inputs: Sequence[str | os.PathLike]) -> list[Path]:
    """Files as they are given; for a folder, its pictures and those of its sub-folders (:func:`image_files`).

    Raises
    ------
    FileNotFoundError
        No such file or folder, or a folder without pictures.
    """
    found = []
    for entry in map(Path, inputs):
        if not entry.exists():
            raise FileNotFoundError(f"{entry}: no such file or folder")
        found += image_files(entry, below=True) if entry.is_dir() else [entry]
    return found


def read_image(path: str | os.PathLike) -> np.ndarray:
    """A picture as (H, W, 3) uint8 BGR; transparency is left out, grey is repeated.

    Raises
    ------
    FileNotFoundError
        No such file.
    ValueError
        Not a picture, cut off, of more than 8 bits, or of more than 100 million pixels.
    """
    from PIL import Image, ImageOps

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file, expected a picture")
    try:
        with Image.open(path) as image:
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(f"{image.width}x{image.height} pixels, expected at most {MOST_PIXELS}")
            if image.mode.startswith(("I", "F")):
                raise ValueError(f"values of more than 8 bits (Pillow's mode {image.mode}), expected colour or grey")
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path}: not a picture, or damaged: {error}") from None
    return np.ascontiguousarray(np.asarray(upright)[:, :, ::-1])


def write_image(path: str | os.PathLike, image: np.ndarray) -> None:
    """Write a picture (H, W, 3) uint8 BGR, whole or not at all; the suffix chooses the form."""
    import cv2

    path = Path(path)
    ok, data = cv2.imencode(path.suffix, image)
    if not ok:
        raise ValueError(f"{path}: OpenCV cannot write '{path.suffix}'")
    with atomic_write(path, "wb") as file:
        file.write(data.tobytes())
