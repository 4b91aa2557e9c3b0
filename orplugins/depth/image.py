"""Depth images: units, holes, 8-bit coding, and what a low-resolution sensor sees.

A depth image is (height, width), or (..., height, width) for a batch. 16-bit images are millimetres. The value 0 is a
hole: nothing was measured there. It is never a distance.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

FILTERS = ("area", "bilinear", "nearest")


def depth_to_8bit(depth_mm: np.ndarray, z_max_mm: float = 5000) -> np.ndarray:
    """Code millimetres as 8 bits: round(255 z / z_max), clipped at 255.

    Holes stay 0, and a measurement never becomes 0: the nearest ones (below z_max / 510) are coded 1.

    Args:
        depth_mm: (..., H, W) uint16, millimetres, 0 = hole.
        z_max_mm: The distance coded 255, millimetres. No published value is known for DepthPose's data: 5000 covers an
            operating room.

    Returns:
        (..., H, W) uint8.

    Raises:
        ValueError: Another dtype or shape, or z_max_mm <= 0.
    """
    depth_mm = _checked(depth_mm, ("uint16",), "depth_mm")
    if not (np.isfinite(z_max_mm) and z_max_mm > 0):
        raise ValueError(f"z_max_mm: found {z_max_mm!r}, expected a distance above 0 (millimetres)")
    return _codes(float(z_max_mm))[depth_mm]


def downsample(
    depth: np.ndarray,
    *,
    size: tuple[int, int] | None = None,
    factor: float | None = None,
    filter: str = "area",
    holes: str = "zero",
) -> np.ndarray:
    """Resize a depth image, by any ratio.

    Args:
        depth: (..., H, W) uint8, uint16 or float, 0 = hole.
        size: (width, height) of the result. Exactly one of ``size`` and ``factor`` is given.
        factor: By how much the result is smaller (10, 6.4, ...).
        filter: "area" (each output pixel is the mean over its footprint), "bilinear" (Pillow's antialiased triangle),
            or "nearest" (the pixel below the centre).
        holes: "zero" averages holes as zeros, so edges of holes get too near; "valid" averages measured pixels only,
            and only a footprint without any is a hole. "nearest" averages nothing: there both are the same.

    Returns:
        (..., h, w) of the same dtype; integers are rounded.

    Raises:
        ValueError: Another dtype or shape, both or neither of size and factor, an unknown name, NaN or infinity.
    """
    depth = _checked(depth, ("uint8", "uint16", "float32", "float64"), "depth")
    height, width = depth.shape[-2:]
    if (size is None) == (factor is None):
        raise ValueError(f"downsample: found size={size!r} and factor={factor!r}, expected exactly one of them")
    if size is None:
        assert factor is not None  # one of them is given
        if not (np.isfinite(factor) and factor > 0):
            raise ValueError(f"factor: found {factor!r}, expected a number above 0")
        size = (max(1, round(width / factor)), max(1, round(height / factor)))
    if len(size) != 2 or min(size) < 1 or any(int(n) != n for n in size):
        raise ValueError(f"size: found {size!r}, expected (width, height), two whole numbers above 0")
    if filter not in FILTERS:
        raise ValueError(f"filter: found {filter!r}, expected one of {list(FILTERS)}")
    if holes not in ("zero", "valid"):
        raise ValueError(f"holes: found {holes!r}, expected 'zero' or 'valid'")
    new_width, new_height = int(size[0]), int(size[1])

    if filter == "nearest":
        rows, columns = _nearest(height, new_height), _nearest(width, new_width)
        result = depth[..., rows[:, None], columns]
        _refuse_nan(result)
        return result

    dtype = np.float64 if depth.dtype == np.float64 else np.float32
    down, across = _weights(height, new_height, filter, dtype), _weights(width, new_width, filter, dtype)
    values = depth.astype(dtype, copy=False)
    result = (down @ values) @ across.T
    if holes == "valid":
        weight = (down @ (depth != 0).astype(dtype)) @ across.T
        # 1e-6 is far below one pixel's weight and above what rounding leaves of none.
        result = np.where(weight > 1e-6, result / np.maximum(weight, 1e-6), 0)
    _refuse_nan(result)
    if depth.dtype.kind == "u":
        return np.rint(result).astype(depth.dtype)
    return result.astype(depth.dtype, copy=False)


def sensor_view(
    depth_mm: np.ndarray,
    size: tuple[int, int] = (64, 48),
    z_max_mm: float = 5000,
    filter: str = "area",
    holes: str = "zero",
) -> np.ndarray:
    """What a privacy-preserving low-resolution sensor gives: 8 bits, then reduced in size.

    How the published low-resolution images were made is not known: this is a model of them, with its choices named.

    Args:
        depth_mm: (..., H, W) uint16, millimetres.
        size: (width, height) of the result.
        z_max_mm: See `depth_to_8bit`.
        filter: See `downsample`.
        holes: See `downsample`.

    Returns:
        (..., height, width) uint8.

    Raises:
        ValueError: As in `depth_to_8bit` and `downsample`.
    """
    return downsample(depth_to_8bit(depth_mm, z_max_mm), size=size, filter=filter, holes=holes)


def unit_image(
    depth: np.ndarray, size: tuple[int, int], z_max_mm: float = 5000, filter: str = "area", holes: str = "valid"
) -> np.ndarray:
    """What a network on low-resolution depth is fed: the sensor's view, in [0, 1].

    Args:
        depth: (H, W) uint16, millimetres, or uint8, as a low-resolution sensor gives it.
        size: (width, height) of the result. An image of that size is not resampled.
        z_max_mm: See `depth_to_8bit`.
        filter: See `downsample`.
        holes: See `downsample`.

    Returns:
        (height, width) float32.

    Raises:
        ValueError: As in `depth_to_8bit` and `downsample`.
    """
    if depth.dtype == np.uint16:
        depth = depth_to_8bit(depth, z_max_mm=z_max_mm)
    if depth.shape[1::-1] != tuple(size):
        depth = downsample(depth, size=size, filter=filter, holes=holes)
    return depth.astype(np.float32) / 255


@lru_cache(maxsize=16)
def _codes(z_max_mm: float) -> np.ndarray:
    """The 8-bit code of each of the 65536 distances: a table is faster than arithmetic on each pixel."""
    z = np.arange(65536, dtype=np.float64)
    codes = np.clip(np.rint(255 * z / z_max_mm), 1, 255).astype(np.uint8)
    codes[0] = 0
    return codes


@lru_cache(maxsize=64)
def _weights(source: int, target: int, filter: str, dtype: type) -> np.ndarray:
    """(target, source) matrix of resampling weights along one axis; rows add up to 1."""
    ratio = source / target
    if filter == "area":
        start = np.arange(target)[:, None] * ratio
        pixel = np.arange(source)[None, :]
        weights = np.clip(np.minimum(pixel + 1, start + ratio) - np.maximum(pixel, start), 0, None)
    else:
        # Pillow widens the triangle to the ratio when it shrinks an image, which is what avoids aliasing.
        support = max(ratio, 1.0)
        centre = (np.arange(target)[:, None] + 0.5) * ratio
        weights = np.clip(1 - np.abs(np.arange(source)[None, :] + 0.5 - centre) / support, 0, None)
    weights = (weights / weights.sum(axis=1, keepdims=True)).astype(dtype)
    weights.flags.writeable = False
    return weights


def _nearest(source: int, target: int) -> np.ndarray:
    return np.minimum(((np.arange(target) + 0.5) * source / target).astype(np.intp), source - 1)


def _checked(depth: np.ndarray, dtypes: tuple[str, ...], name: str) -> np.ndarray:
    depth = np.asarray(depth)
    if depth.dtype.name not in dtypes:
        raise ValueError(f"{name}: found dtype {depth.dtype}, expected {' or '.join(dtypes)}")
    if depth.ndim < 2 or 0 in depth.shape[-2:]:
        raise ValueError(f"{name}: found shape {depth.shape}, expected (..., height, width) with at least one pixel")
    return depth


def _refuse_nan(result: np.ndarray) -> None:
    if result.dtype.kind == "f" and not np.isfinite(result).all():
        raise ValueError("depth: found NaN or infinity, expected finite numbers (a hole is 0)")
