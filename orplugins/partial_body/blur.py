"""The Gaussian blur of maps as products with banded matrices: OpenCV's kernels, without OpenCV."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

# OpenCV's kernels of sizes that it has a table for; others are a sampled Gaussian.
_SMALL = {
    1: (1.0,),
    3: (0.25, 0.5, 0.25),
    5: (0.0625, 0.25, 0.375, 0.25, 0.0625),
    7: (0.03125, 0.109375, 0.21875, 0.28125, 0.21875, 0.109375, 0.03125),
    9: (4 / 256, 13 / 256, 30 / 256, 51 / 256, 60 / 256, 51 / 256, 30 / 256, 13 / 256, 4 / 256),
}
BORDERS = ("zero", "mirror")


def gaussian_kernel(size: int) -> np.ndarray:
    """OpenCV's ``getGaussianKernel(size, 0)``: sigma follows from the size.

    Args:
        size: Odd number of taps.

    Returns:
        (size,) that add up to 1.

    Raises:
        ValueError: An even size, or one below 1.
    """
    if size < 1 or size % 2 == 0:
        raise ValueError(f"blur: found a kernel of {size} taps, expected an odd number")
    if size in _SMALL:
        return np.array(_SMALL[size])
    sigma = 0.3 * ((size - 1) * 0.5 - 1) + 0.8
    kernel = np.exp(-((np.arange(size) - (size - 1) / 2) ** 2) / (2 * sigma**2))
    return kernel / kernel.sum()


@lru_cache(maxsize=32)
def band(length: int, size: int, border: str = "zero") -> np.ndarray:
    """The blur of a row of pixels as a matrix: B_h M B_w^T blurs a map M of (h, w).

    Args:
        length: Pixels.
        size: Odd number of taps.
        border: Beyond the ends are zeros, or the mirrored row, whose edge pixel is not repeated (OpenCV's default).

    Returns:
        (length, length) float32, not writable.

    Raises:
        ValueError: Another border, or a size that is not odd.
    """
    if border not in BORDERS:
        raise ValueError(f"blur: found border {border!r}, expected one of {', '.join(BORDERS)}")
    kernel, reach = gaussian_kernel(size), size // 2
    matrix = np.zeros((length, length))
    for row in range(length):
        at = row + np.arange(-reach, reach + 1)
        if border == "zero":
            inside = (at >= 0) & (at < length)
            matrix[row, at[inside]] = kernel[inside]
        else:
            period = max(2 * (length - 1), 1)
            at = np.abs((at + length - 1) % period - (length - 1)) if length > 1 else np.zeros_like(at)
            np.add.at(matrix[row], at, kernel)
    matrix = matrix.astype(np.float32)
    matrix.flags.writeable = False
    return matrix
