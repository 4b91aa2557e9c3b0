"""Colour pictures to work on: files and folders of files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm")
MOST_PIXELS = 100_000_000


def find_pictures(inputs: Sequence[str | os.PathLike]) -> list[Path]:
    """Files as they are given; the pictures in a folder (and below) sorted by name.

    Raises
    ------
    FileNotFoundError
        No such file or folder.
    ValueError
        A folder without pictures.
    """
    found = []
    for entry in map(Path, inputs):
        if entry.is_dir():
            inside = sorted(path for path in entry.rglob("*") if path.suffix.lower() in PICTURES)
            if not inside:
                raise ValueError(f"{entry}: has no pictures, expected files ending in {', '.join(PICTURES)}")
            found += inside
        elif entry.is_file():
            found.append(entry)
        else:
            raise FileNotFoundError(f"{entry}: no such file or folder")
    return found


def read_picture(path: str | os.PathLike) -> np.ndarray:
    """A picture as (H, W, 3) uint8 BGR.

    Raises
    ------
    ValueError
        Not a picture, truncated, or of more than 100 million pixels.
    """
    from PIL import Image

    try:
        with Image.open(path) as image:
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(f"has {image.width}x{image.height} pixels, expected at most {MOST_PIXELS}")
            return np.ascontiguousarray(np.asarray(image.convert("RGB"))[:, :, ::-1])
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path}: cannot be read as a picture: {error}") from None
