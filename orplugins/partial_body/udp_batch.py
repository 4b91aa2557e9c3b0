"""Heatmap decoding of mmpose 1.x's `UDPHeatmap` for all maps of a batch at once.

One Newton step on the logarithm of the blurred map (Zhang et al., CVPR 2020), as there; the blur of all maps is two
products with banded matrices, and what the step needs is taken from all maps together.
"""

from __future__ import annotations

import numpy as np

from orplugins.partial_body.blur import band
from orplugins.partial_body.udp import peaks

_EPS = np.finfo(np.float32).eps
_LEAST, _MOST = 1e-3, 50.0


def decode_batch(heatmaps: np.ndarray, blur: int = 11) -> tuple[np.ndarray, np.ndarray]:
    """Joints of all maps of a batch.

    Args:
        heatmaps: (..., h, w) float maps; they are not changed.
        blur: Odd size of the Gaussian kernel.

    Returns:
        Positions (..., 2) in map pixels, (-1, -1) for a map without a positive value, and scores (...).
    """
    shape, (height, width) = heatmaps.shape[:-2], heatmaps.shape[-2:]
    maps = heatmaps.reshape(-1, height, width).astype(np.float32, copy=False)
    positions, scores = peaks(maps)
    found = np.flatnonzero(scores > 0)
    if len(found):
        blurred = band(height, blur) @ maps[found] @ band(width, blur)
        blurred *= (scores[found] / blurred.max((1, 2)))[:, None, None]
        positions[found] += _steps(blurred, positions[found].astype(int))
    return positions.reshape(*shape, 2), scores.reshape(shape)


def _steps(maps: np.ndarray, peak: np.ndarray) -> np.ndarray:
    """Newton steps (N, 2) from the pixels ``peak`` (N, 2) of positive maps (N, h, w); the border pixel is repeated."""
    around = np.arange(-1, 2)
    rows = np.clip(peak[:, 1, None] + around, 0, maps.shape[1] - 1)
    columns = np.clip(peak[:, 0, None] + around, 0, maps.shape[2] - 1)
    near = maps[np.arange(len(maps))[:, None, None], rows[:, :, None], columns[:, None]]
    p = np.log(np.clip(near, _LEAST, _MOST)).astype(np.float64)
    dx, dy = (p[:, 1, 2] - p[:, 1, 0]) / 2, (p[:, 2, 1] - p[:, 0, 1]) / 2
    dxx = p[:, 1, 2] - 2 * p[:, 1, 1] + p[:, 1, 0] + _EPS
    dyy = p[:, 2, 1] - 2 * p[:, 1, 1] + p[:, 0, 1] + _EPS
    dxy = (p[:, 2, 2] - p[:, 1, 2] - p[:, 2, 1] + 2 * p[:, 1, 1] - p[:, 1, 0] - p[:, 0, 1] + p[:, 0, 0]) / 2
    determinant = dxx * dyy - dxy * dxy
    return np.stack([dxy * dy - dyy * dx, dxy * dx - dxx * dy], -1) / determinant[:, None]
