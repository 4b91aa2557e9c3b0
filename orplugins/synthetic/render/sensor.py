"""Errors of a structured-light depth sensor: disparity steps, noise, the projector's shadow, holes."""

from __future__ import annotations

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.synthetic.scene.geometry import DARK, METAL, SKIN

_BASELINE = 0.075  # metres between projector and camera
_STEPS = 8  # disparity is measured in parts of a pixel of the full image
_FULL_WIDTH = 640
MEASURES_FROM, MEASURES_TO = 0.5, 8.0  # metres
# Level of a smooth noise field above which a material gives no measurement: dark and shiny things lose patches.
_LOSES = np.full(6, 9.0)
_LOSES[[SKIN, METAL, DARK]] = 9.0, 1.9, 1.15


def to_millimetres(depth: np.ndarray) -> np.ndarray:
    """Exact depth without any of the sensor's errors.

    Args:
        depth: (H, W) metres, 0 = nothing.

    Returns:
        (H, W) uint16 millimetres.
    """
    return np.where((depth > 0) & (depth < 65), np.rint(depth * 1000), 0).astype(np.uint16)


def measure(
    depth: np.ndarray, grazing: np.ndarray, material: np.ndarray, camera: Camera, rng: np.random.Generator
) -> np.ndarray:
    """What the sensor stores.

    Args:
        depth: (H, W) exact, metres, 0 = nothing.
        grazing: (H, W) cosine between ray and surface normal.
        material: (H, W) see `geometry.MATERIALS`.
        camera: Of the sensor.
        rng: Source of all randomness.

    Returns:
        (H, W) uint16 millimetres, 0 = hole.
    """
    height, width = depth.shape
    scale = width / _FULL_WIDTH
    row, column = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    jitter = rng.standard_normal((2, height, width), dtype=np.float32) * np.float32(0.55 * scale)
    source = (
        np.clip(np.rint(row + jitter[0]), 0, height - 1).astype(int),
        np.clip(np.rint(column + jitter[1]), 0, width - 1).astype(int),
    )
    depth, grazing, material = depth[source], grazing[source], material[source]
    known = depth > 0
    disparity = np.where(known, camera.fx * _BASELINE / np.maximum(depth, 0.1), 0).astype(np.float32)
    # A pixel sees the projector's column x - disparity; something further right that maps to the left of it shades it.
    projected = column - disparity
    nearest = np.minimum.accumulate(np.where(known, projected, 1e9)[:, ::-1], axis=1)[:, ::-1]
    shadow = projected > nearest + scale + 0.6 * min(1.0, 2 * scale)
    noise = rng.standard_normal((height, width), dtype=np.float32) * np.float32(0.045)
    noise += np.float32(0.05) * soft_noise(rng, height, width, 6)
    steps = _STEPS / scale
    stored = np.rint((disparity + noise * scale) * steps) / steps
    z = np.where(known, camera.fx * _BASELINE / np.maximum(stored, 1e-3), 0)

    patches = soft_noise(rng, height, width, 5) + 0.5 * soft_noise(rng, height, width, 13)
    chance = np.where(grazing < 0.2, 0.9 * (1 - grazing / 0.2), 0.001)
    hole = (patches > _LOSES[material]) | (rng.random((height, width), dtype=np.float32) < chance) | shadow
    hole |= (soft_noise(rng, height, width, 12) > 3.1) | ~known
    # The device's own filter closes single holes and widens larger ones.
    around = np.pad(hole, 1, mode="edge").astype(np.uint8)
    hole = (around[1:-1, 1:-1] + around[:-2, 1:-1] + around[2:, 1:-1] + around[1:-1, :-2] + around[1:-1, 2:]) >= 2
    hole |= (z < MEASURES_FROM) | (z > MEASURES_TO)
    return np.where(hole, 0, np.rint(z * 1000)).astype(np.uint16)


def soft_noise(rng: np.random.Generator, height: int, width: int, cell: int) -> np.ndarray:
    """Smooth noise of about unit variance: random numbers on a coarse grid, interpolated.

    Args:
        rng: Source of all randomness.
        height: Of the image.
        width: Of the image.
        cell: Of the grid, pixels.

    Returns:
        (height, width) float32.
    """
    coarse = rng.standard_normal((height // cell + 2, width // cell + 2), dtype=np.float32)
    y, x = np.arange(height) / cell, np.arange(width) / cell
    i, j = y.astype(int), x.astype(int)
    fy, fx = (y - i).astype(np.float32)[:, None], (x - j).astype(np.float32)[None]
    rows = coarse[i] * (1 - fy) + coarse[i + 1] * fy
    return (rows[:, j] * (1 - fx) + rows[:, j + 1] * fx) * np.float32(1.5)
