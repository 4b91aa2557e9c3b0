"""Gaussian joint heatmaps on a grid of cells over a frame."""

from __future__ import annotations

import numpy as np


def cell_coordinates(points: np.ndarray, stride: float) -> np.ndarray:
    """Frame pixels to grid cells: cell g has its centre at ``stride * g + stride / 2 - 0.5``.

    Args:
        points: (..., 2) frame pixels.
        stride: Frame pixels per cell.

    Returns:
        (..., 2) cells.
    """
    return (np.asarray(points, dtype=np.float64) + 0.5) / stride - 0.5


def frame_coordinates(cells: np.ndarray, stride: float) -> np.ndarray:
    """Grid cells to frame pixels, the inverse of `cell_coordinates`.

    Args:
        cells: (..., 2).
        stride: Frame pixels per cell.

    Returns:
        (..., 2) frame pixels.
    """
    return (np.asarray(cells) + 0.5) * stride - 0.5


def gaussian_heatmaps(
    points: np.ndarray,
    visible: np.ndarray,
    grid_size: tuple[int, int],
    stride: float,
    sigma: float,
    cutoff: float = 4.6052,
    combine: str = "sum",
) -> np.ndarray:
    """One heatmap per joint, people together.

    A joint's value in a cell is exp(-d^2 / (2 sigma^2)), d the distance from the cell's centre in frame pixels, and 0
    where the exponent exceeds ``cutoff``.

    Args:
        points: (N, J, 2) x, y in frame pixels; rows that are not visible may hold anything.
        visible: (N, J) bool.
        grid_size: (width, height) in cells.
        stride: Frame pixels per cell.
        sigma: Frame pixels.
        cutoff: Maximum of the (negated) exponent; 4.6052 drops values below 0.01.
        combine: 'sum' adds people and clips at 1 (the RTPose training code); 'max' takes the maximum, which keeps close
            people apart (Cao et al. 2017, equation 7).

    Returns:
        (J, height, width) float32 in [0, 1].

    Raises:
        ValueError: Another ``combine``.
    """
    if combine not in ("sum", "max"):
        raise ValueError(f"combine: found {combine!r}, expected 'sum' or 'max'")
    points, visible = np.asarray(points, dtype=np.float64), np.asarray(visible, dtype=bool)
    width, height = grid_size
    reach = int(np.ceil(sigma * np.sqrt(2 * cutoff) / stride)) + 1
    pad = reach + 1
    # A border takes the windows of joints at the edge, so that no window has to be cut.
    padded = np.zeros((points.shape[1], height + 2 * pad, width + 2 * pad))
    window = np.arange(-reach, reach + 1)
    put = np.add if combine == "sum" else np.maximum
    for xy, seen in zip(points, visible, strict=True):
        cells = np.rint(cell_coordinates(xy, stride)[seen])
        inside = np.all((cells >= -1) & (cells <= (width, height)), axis=1)
        joints, xy, cells = np.flatnonzero(seen)[inside], xy[seen][inside], cells[inside].astype(np.int64)
        grid = cells[:, :, None] + window  # (K, 2, window)
        exponent = (frame_coordinates(grid, stride) - xy[:, :, None]) ** 2 / (2 * sigma**2)
        exponent = exponent[:, 1, :, None] + exponent[:, 0, None, :]
        values = np.where(exponent > cutoff, 0.0, np.exp(-exponent))
        # One person has one point a joint: no cell of a channel is addressed twice.
        index = joints[:, None, None], grid[:, 1, :, None] + pad, grid[:, 0, None, :] + pad
        padded[index] = put(padded[index], values)
    heat = padded[:, pad : pad + height, pad : pad + width]
    return np.minimum(heat, 1.0).astype(np.float32)
