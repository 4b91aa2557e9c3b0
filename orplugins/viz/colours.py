"""Colours for images of depth and of people."""

from __future__ import annotations

import colorsys

import numpy as np

from orplugins.depth.image import depth_to_8bit


def depth_colours(depth: np.ndarray, near: float = 1000, far: float = 5000) -> np.ndarray:
    """Colours of a depth image: near is warm, far is cold, holes are black.

    Args:
        depth: (H, W) millimetres, 0 = hole.
        near: Distance of the warmest colour, millimetres.
        far: Distance of the coldest colour, millimetres.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    hues = np.array([colorsys.hsv_to_rgb(0.66 * i / 255, 0.85, 0.95) for i in range(256)])
    level = np.clip((depth.astype(float) - near) / (far - near), 0, 1)
    return (255 * np.where(depth[..., None] > 0, hues[(255 * level).astype(int)], 0)).astype(np.uint8)


def person_colour(number: int, brightness: float = 1.0) -> tuple[int, int, int]:
    """A colour of its own for each of many people: hues a golden section apart.

    Args:
        number: The person, from 0 on.
        brightness: 0 to 1.

    Returns:
        RGB, 0 to 255 each.
    """
    red, green, blue = colorsys.hsv_to_rgb((0.1 + 0.381966 * number) % 1, 0.75, brightness)
    return int(255 * red), int(255 * green), int(255 * blue)


def as_rgb(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 RGB of an image in BGR, or of depth (H, W): grey, near things bright, holes black."""
    if image.ndim == 3:
        return image[..., ::-1]
    grey = np.where(image > 0, 255 - depth_to_8bit(image), 0).astype(np.uint8)
    return np.repeat(grey[..., None], 3, -1)
