"""Depth images as PNG files: 16-bit millimetres, or 8-bit low-resolution images."""

from __future__ import annotations

import io
import os
import struct
import warnings
from pathlib import Path

import numpy as np

from orplugins.io.atomic import atomic_write
from orplugins.io.files import read_bytes, require_file
from orplugins.io.media_files import MOST_PIXELS

_SATURATED = 65535  # what recorders write where the sensor saw nothing, or too far
_PNG = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {0: "grey", 2: "three-channel colour", 3: "palette", 4: "grey with alpha", 6: "four-channel colour"}


def is_depth_png(path: str | os.PathLike) -> bool:
    """Whether a file is a 16-bit grey PNG, by its header.

    Args:
        path: The file.

    Returns:
        True for a 16-bit PNG with one grey channel.
    """
    with open(require_file(path, "an image"), "rb") as file:
        data = file.read(26)
    return data[:8] == _PNG and len(data) == 26 and (data[24], data[25]) == (16, 0)


def load_depth(
    path: str | os.PathLike,
    bits: int = 16,
    size: tuple[int, int] | None = None,
    allow_empty: bool = True,
    unit_mm: float = 1.0,
) -> np.ndarray:
    """Read a single-channel depth PNG; 0 and, of 16 bits, 65535 are holes.

    Args:
        path: The file.
        bits: 16 (millimetres) or 8; a file of the other bit depth is refused, not converted.
        size: (width, height) that the image must have; None takes any.
        allow_empty: Take an image of nothing but holes (with a warning); otherwise it is an error.
        unit_mm: Millimetres a count of the file (16 bits): 1 of Kinect's and most recorders' files, 0.25 of RealSense
            L515's, 0.1 or 1 of RealSense D400's.

    Returns:
        (H, W) uint16 millimetres, or uint8; 0 is a hole.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A truncated or damaged file, another format, bit depth, number of channels or size.
    """
    from PIL import Image  # lazy: writing configs and evaluating results needs no Pillow

    if bits not in (8, 16):
        raise ValueError(f"bits: found {bits!r}, expected 8 or 16")
    data = read_bytes(path, f"a {bits}-bit depth PNG", MOST_PIXELS * 4)
    # The header is read here because Pillow's modes hide it: a 4-bit image, for one, opens like an 8-bit one.
    if data[:8] != _PNG or len(data) < 26:
        raise ValueError(f"{path}: format: found {len(data)} bytes, no PNG file, expected a {bits}-bit grey PNG")
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    if colour != 0:
        kind = _COLOUR_TYPES.get(colour, f"colour type {colour}")
        raise ValueError(f"{path}: channels: found a {kind} image, expected one grey channel")
    if depth != bits:
        raise ValueError(f"{path}: bit depth: found {depth}, expected {bits}")
    if size is not None and (width, height) != tuple(size):
        raise ValueError(f"{path}: size: found {width}x{height}, expected {size[0]}x{size[1]} (width x height)")
    if not 0 < width * height <= MOST_PIXELS:
        raise ValueError(f"{path}: size: found {width}x{height}, expected at most {MOST_PIXELS} pixels")
    try:
        # OpenCV gives back what it could read of a truncated file; Pillow raises.
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            image.load()
            array = np.asarray(image)
    except MemoryError:
        raise
    except Exception as error:  # Pillow raises whatever the broken bytes lead to
        raise ValueError(f"{path}: pixels: found a truncated or damaged PNG ({error}), expected a whole one") from error
    if array.shape != (height, width):
        raise ValueError(f"{path}: pixels: found shape {array.shape}, expected {(height, width)} as its header says")
    # Older Pillow versions open 16-bit images as 32-bit integers.
    array = np.ascontiguousarray(array, dtype=np.uint8 if bits == 8 else np.uint16)
    array = counts_to_mm(array, unit_mm) if bits == 16 else array
    if not array.any():
        message = f"{path}: pixels: found nothing but holes (0), expected at least one measured pixel"
        if not allow_empty:
            raise ValueError(message)
        warnings.warn(message, stacklevel=2)
    return array


def counts_to_mm(counts: np.ndarray, unit_mm: float = 1.0) -> np.ndarray:
    """Turn a sensor's counts into millimetres; 65535 is a hole, and so is what lies beyond 65 m.

    Args:
        counts: uint16, 0 = hole.
        unit_mm: Millimetres a count.

    Returns:
        uint16 millimetres of the same shape, 0 = hole.

    Raises:
        ValueError: A unit that is no positive number.
    """
    if not (np.isfinite(unit_mm) and unit_mm > 0):
        raise ValueError(f"unit_mm: found {unit_mm!r}, expected a number above 0 (millimetres a count)")
    if unit_mm == 1:
        return np.where(counts == _SATURATED, np.uint16(0), counts) if (counts == _SATURATED).any() else counts
    distances = np.rint(counts.astype(np.float64) * unit_mm)
    return np.where((counts == _SATURATED) | (distances > _SATURATED - 1), 0, distances).astype(np.uint16)


def save_depth(path: str | os.PathLike, array: np.ndarray) -> None:
    """Write a depth image as a grey PNG, atomically.

    Args:
        path: File name that ends in .png.
        array: (H, W) uint16 (millimetres) or uint8.

    Raises:
        ValueError: Another dtype or shape, or a name that does not end in .png.
    """
    from PIL import Image

    array = np.asarray(array)
    if array.dtype not in (np.uint8, np.uint16) or array.ndim != 2 or not array.size:
        raise ValueError(f"{path}: array: found {array.dtype} {array.shape}, expected (H, W) of uint8 or uint16")
    if Path(path).suffix.lower() != ".png":
        raise ValueError(f"{path}: name: found suffix {Path(path).suffix!r}, expected '.png'")
    with atomic_write(path, mode="wb") as file:
        # Level 3 takes less than half of the default's time and makes files 7 % larger.
        Image.fromarray(np.ascontiguousarray(array)).save(file, format="PNG", compress_level=3)


def check_depth(
    array: np.ndarray, name: str, bits: int = 16, size: tuple[int, int] | None = None, allow_empty: bool = True
) -> np.ndarray:
    """Check a depth image that is in memory by the rules of `load_depth`.

    Args:
        array: The image.
        name: What stands for the file in error messages.
        bits: 16 or 8.
        size: (width, height) that the image must have; None takes any.
        allow_empty: Take an image of nothing but holes.

    Returns:
        (H, W) uint16 or uint8, the array itself.

    Raises:
        ValueError: Another dtype, number of channels or size, or (without `allow_empty`) nothing but holes.
    """
    array = np.asarray(array)
    expected = {8: np.uint8, 16: np.uint16}[bits]
    if array.ndim != 2:
        raise ValueError(f"{name}: channels: found shape {array.shape}, expected one grey channel (H, W)")
    if array.dtype != expected:
        raise ValueError(f"{name}: bit depth: found {array.dtype}, expected {np.dtype(expected)}")
    if size is not None and array.shape[::-1] != tuple(size):
        found = f"{array.shape[1]}x{array.shape[0]}"
        raise ValueError(f"{name}: size: found {found}, expected {size[0]}x{size[1]} (width x height)")
    if not allow_empty and not array.any():
        raise ValueError(f"{name}: pixels: found nothing but holes (0), expected at least one measured pixel")
    return array
