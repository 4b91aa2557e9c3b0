"""Pixels that show somebody are taken out of a picture: removed, pixelated or blurred.

Works on colour (H, W, 3) uint8 and on depth (H, W) uint16, where 0 is a hole and stays out of every mean.
"""

from __future__ import annotations

import numpy as np

from orplugins.privacy.settings import PIXELATE, REMOVE

GREY = 128
_CELLS = 3  # across the shorter side of what is hidden: more cells show who it is
_LEAST_CELL = 4  # pixels


def hide(picture: np.ndarray, mask: np.ndarray, how: str = REMOVE, background: np.ndarray | None = None) -> np.ndarray:
    """A picture without what a mask says.

    Args:
        picture: (H, W, 3) uint8 or (H, W) uint16.
        mask: (H, W) bool.
        how: "remove", "pixelate" or "blur".
        background: What is put in place of what is removed, as `picture`; None: grey, a hole in depth.

    Returns:
        A new picture, equal to the old one outside the mask.
    """
    out = picture.copy()
    if how == REMOVE:
        out[mask] = blank(picture)[mask] if background is None else background[mask]
        return out
    from scipy.ndimage import find_objects, label

    labels, _ = label(mask, np.ones((3, 3)))
    for number, window in enumerate(find_objects(labels), start=1):
        inside = labels[window] == number
        side = min(inside.shape)
        smooth = (_pixelated if how == PIXELATE else _blurred)(picture[window], max(_LEAST_CELL, -(-side // _CELLS)))
        out[window][inside] = smooth[inside]
    return out


def blank(picture: np.ndarray) -> np.ndarray:
    """A picture of the same form that shows nothing.

    Args:
        picture: (H, W, 3) uint8 or (H, W) uint16.
    """
    return np.full_like(picture, GREY if picture.ndim == 3 else 0)


def smaller(picture: np.ndarray, factor: float) -> np.ndarray:
    """A small copy: each pixel is the mean of what it covers.

    Args:
        picture: (H, W, 3) uint8 or (H, W) uint16; holes are left out of the means.
        factor: How many times smaller the sides are.
    """
    from orplugins.depth.image import downsample

    if picture.ndim == 2:
        return downsample(picture, factor=factor, holes="valid")
    return np.ascontiguousarray(np.moveaxis(downsample(np.moveaxis(picture, -1, 0), factor=factor), 0, -1))


def _pixelated(picture: np.ndarray, cell: int) -> np.ndarray:
    """Cells of one value each, their mean."""
    height, width = picture.shape[:2]
    rows, columns = np.arange(0, height, cell), np.arange(0, width, cell)
    values, weights = _parts(picture)

    def cells(array: np.ndarray) -> np.ndarray:
        return np.add.reduceat(np.add.reduceat(array, rows, axis=0), columns, axis=1)

    means = cells(values) / np.maximum(cells(weights), 1e-9)
    large = np.repeat(np.repeat(means, cell, axis=0), cell, axis=1)[:height, :width]
    return _as(large, picture)


def _blurred(picture: np.ndarray, cell: int) -> np.ndarray:
    """A Gaussian whose deviation is a cell's side, of the window alone."""
    from scipy.ndimage import gaussian_filter

    values, weights = (gaussian_filter(part, (cell, cell, 0), mode="nearest") for part in _parts(picture))
    return _as(values / np.maximum(weights, 1e-9), picture)


def _parts(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(H, W, C) sums and weights: holes of a depth image weigh nothing."""
    values = picture.astype(np.float64)
    if picture.ndim == 3:
        return values, np.ones_like(values)
    return values[..., None], (picture > 0).astype(np.float64)[..., None]


def _as(values: np.ndarray, picture: np.ndarray) -> np.ndarray:
    return np.rint(values).astype(picture.dtype).reshape(picture.shape)
