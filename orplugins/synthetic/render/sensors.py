"""Depth sensors of other kinds than structured light: time of flight, stereo, and holes of each kind."""

from __future__ import annotations

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.synthetic.render.sensor import measure, soft_noise
from orplugins.synthetic.scene.geometry import DARK, METAL

KINDS = ("structured light", "time of flight", "stereo", "clean")
SHARES = (0.35, 0.35, 0.2, 0.1)


def measure_by_any(
    depth: np.ndarray, grazing: np.ndarray, material: np.ndarray, camera: Camera, rng: np.random.Generator
) -> np.ndarray:
    """What a sensor of a random kind stores; arguments and result as of `sensor.measure`."""
    kind = str(rng.choice(KINDS, p=SHARES))
    if kind == "structured light":
        stored = measure(depth, grazing, material, camera, rng)
    elif kind == "time of flight":
        stored = _time_of_flight(depth, grazing, material, rng)
    elif kind == "stereo":
        stored = _stereo(depth, camera, rng)
    else:
        stored = _millimetres(depth, depth <= 0)
    return _lose(stored, rng)


def _millimetres(z: np.ndarray, hole: np.ndarray) -> np.ndarray:
    return np.where(hole | (z <= 0) | (z > 60), 0, np.rint(z * 1000)).astype(np.uint16)


def _time_of_flight(
    depth: np.ndarray, grazing: np.ndarray, material: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Noise that grows with the square of the distance, flying pixels, round corners, no light back at an angle."""
    z: np.ndarray = depth.astype(np.float32)
    z = z + np.float32(rng.uniform(0, 1)) * _hollows(z)
    nearest, farthest = _window(z, np.minimum), _window(z, np.maximum)
    edge = (farthest - nearest > 0.15) & (nearest > 0)
    share = rng.random(z.shape, dtype=np.float32)
    z = np.where(edge & (rng.random(z.shape) < 0.5), nearest + share * (farthest - nearest), z)
    far = soft_noise(rng, z.shape[0], z.shape[1], 24) * 0.012
    z = z * (1 + far) + rng.standard_normal(z.shape, dtype=np.float32) * (0.002 + 0.0015 * z * z)
    limits = rng.uniform(0.2, 0.5), rng.uniform(4.5, 8.0)
    dark = np.isin(material, (METAL, DARK)) & (soft_noise(rng, z.shape[0], z.shape[1], 6) > 0.9)
    weak = rng.random(z.shape, dtype=np.float32) < np.where(grazing < 0.3, 1 - grazing / 0.3, 0.002) * 0.8
    if rng.random() < 0.3:  # the corners of the image get less light than the middle
        height, width = z.shape
        y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        weak |= x * x + y * y > rng.uniform(1.2, 1.7)
    return _millimetres(z, (depth <= 0) | dark | weak | (z < limits[0]) | (z > limits[1]))


def _hollows(z: np.ndarray) -> np.ndarray:
    """How deep each pixel lies in a hollow, metres: light that came by way of a corner's other wall arrives late."""
    reach, known = max(2, z.shape[1] // 24), (z > 0).astype(np.float64)
    share = _mean_around(known, reach)
    deeper = np.where(known > 0, z - _mean_around(z * known, reach) / np.maximum(share, 1e-6), 0)
    # Beside an edge it is not a hollow; at a border or a hole the mean is not that of the surface.
    smooth = (_mean_around(np.abs(deeper), reach) < 0.08) & (share > 0.999)
    return np.where(smooth, np.clip(deeper, 0, 0.1), 0).astype(np.float32)


def _mean_around(values: np.ndarray, reach: int) -> np.ndarray:
    """Mean over a square that reaches so many pixels to each side; outside the image there are zeros."""
    for axis in (0, 1):
        side = [(0, 0), (0, 0)]
        side[axis] = (reach + 1, reach)
        sums = np.cumsum(np.pad(values, side), axis=axis)
        n = values.shape[axis]
        window = 2 * reach + 1
        values = (np.take(sums, range(window, window + n), axis) - np.take(sums, range(n), axis)) / window
    return values


def _stereo(depth: np.ndarray, camera: Camera, rng: np.random.Generator) -> np.ndarray:
    """Blocks that are matched as one: edges are fat and ragged, and the left border is not seen by both cameras."""
    scale = depth.shape[1] / 640
    base, step = rng.uniform(0.05, 0.12), rng.uniform(0.03, 0.12)
    known = depth > 0
    disparity = np.where(known, camera.fx * base / np.maximum(depth, 0.1), 0)
    fat = _window(disparity, np.maximum)
    disparity = np.where(rng.random(depth.shape) < 0.5, fat, disparity)
    disparity += (
        soft_noise(rng, depth.shape[0], depth.shape[1], 4) * 0.12
        + soft_noise(rng, depth.shape[0], depth.shape[1], 11) * 0.1
    ) * scale
    disparity = np.rint(disparity / (step * scale)) * step * scale
    z = np.where(disparity > 0, camera.fx * base / np.maximum(disparity, 1e-3), 0)
    left = np.arange(depth.shape[1]) < camera.fx * base / 2.5
    blank = soft_noise(rng, depth.shape[0], depth.shape[1], 14) > rng.uniform(1.4, 3.0)
    return _millimetres(z, (disparity <= 0) | left[None] | blank | (z < 0.25) | (z > 9))


def _lose(stored: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Holes in blobs and at a border, and what lies beyond a range that the recorder cuts at."""
    if rng.random() < 0.25:
        stored = np.where(
            soft_noise(rng, stored.shape[0], stored.shape[1], int(rng.integers(5, 20))) > rng.uniform(1.0, 2.2),
            0,
            stored,
        )
    if rng.random() < 0.15:
        border = int(rng.integers(1, max(2, stored.shape[1] // 12)))
        stored = stored.copy()
        stored[:, :border] = 0
        stored[:, -border:] = 0
    if rng.random() < 0.2:
        stored = np.where(stored > rng.uniform(2500, 6000), 0, stored)
    return stored.astype(np.uint16)


def _window(values: np.ndarray, best) -> np.ndarray:
    """Best of each pixel and its eight neighbours."""
    padded = np.pad(values, 1, mode="edge")
    rows = best(best(padded[:-2], padded[1:-1]), padded[2:])
    return best(best(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:])
