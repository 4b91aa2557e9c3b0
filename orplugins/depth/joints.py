"""Depth images at people's joints: the surface that is measured there, and how far behind it the joint lies."""

from __future__ import annotations

import numpy as np

from orplugins.skeletons import COCO_17

# Metres along the ray from the surface that a camera sees to the joint: medians over the seen joints of a generated set
# (no other result is measured on it), sides together.
_INSET = {
    "nose": 0.01,
    "eye": 0.02,
    "ear": 0.02,
    "shoulder": 0.06,
    "elbow": 0.05,
    "wrist": 0.025,
    "hip": 0.15,
    "knee": 0.10,
    "ankle": 0.08,
}
INSET = np.array([_INSET[name.split("_")[-1]] for name in COCO_17.joints])


def surface_depth(depth_mm: np.ndarray, pixels: np.ndarray, half: int) -> np.ndarray:
    """Median of the measured depths in a window around each pixel.

    Args:
        depth_mm: (H, W) millimetres, 0 = hole.
        pixels: (J, 2).
        half: Half the side of the window, pixels.

    Returns:
        (J,) metres, NaN where there is none.
    """
    out = np.full(len(pixels), np.nan)
    height, width = depth_mm.shape
    for k, (x, y) in enumerate(np.round(pixels).astype(int)):
        if not (0 <= x < width and 0 <= y < height):
            continue
        window = depth_mm[max(0, y - half) : y + half + 1, max(0, x - half) : x + half + 1]
        measured = window[window > 0]
        if len(measured):
            out[k] = np.median(measured) / 1000
    return out
