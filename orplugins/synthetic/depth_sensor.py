"""Errors of a structured-light depth sensor."""

from __future__ import annotations

import numpy as np

# Distances a structured-light sensor measures, metres.
MEASURES_FROM, MEASURES_TO = 0.4, 8.0


def measure(depth: np.ndarray, rng: np.random.Generator | None) -> np.ndarray:
    """Turn true depth into what a sensor stores.

    Parameters
    ----------
    depth : (H, W) float32, metres; inf where there is nothing.
    rng : randomness of the sensor's errors; None gives the exact depth, rounded to millimetres.

    Returns
    -------
    (H, W) uint16 millimetres. 0 (a hole) beyond the sensor's range and, with errors, on the far side of edges (the
    shadow of the projector), at random pixels and in small patches. Distances have noise that grows with the square of
    the distance (0.0012 + 0.0019 (z - 0.4)^2 metres, Nguyen, Izadi and Lovell 2012) and steps of 2.85 mm at one metre
    that grow likewise (the disparity is counted in eighths of a pixel).
    """
    hole = ~((depth > MEASURES_FROM) & (depth < MEASURES_TO))
    z = np.where(hole, np.float32(1), depth)
    if rng is not None:
        height, width = z.shape
        z = z + rng.standard_normal(z.shape, dtype=np.float32) * (
            np.float32(0.0012) + np.float32(0.0019) * np.square(z - np.float32(0.4))
        )
        steps = np.float32(1 / 0.00285)
        z = steps / np.rint(steps / np.maximum(z, np.float32(MEASURES_FROM)))
        # One random byte a pixel decides the dropouts: about 0.4 % anywhere, 60 % on the far side of an edge.
        dice = np.frombuffer(rng.bytes(z.size), dtype=np.uint8).reshape(z.shape)
        hole |= dice < 1
        edge = np.zeros(z.shape, dtype=bool)
        with np.errstate(invalid="ignore"):  # inf - inf: no edge
            across, down = depth[:, 1:] - depth[:, :-1], depth[1:] - depth[:-1]
            edge[:, 1:] |= across > 0.12
            edge[:, :-1] |= across < -0.12
            edge[1:] |= down > 0.12
            edge[:-1] |= down < -0.12
        hole |= edge & (dice < 154)
        for _ in range(rng.integers(0, 5)):
            y, x = rng.integers(0, height), rng.integers(0, width)
            tall, wide = 1 + int(height * rng.uniform(0, 0.05)), 1 + int(width * rng.uniform(0, 0.05))
            hole[y : y + tall, x : x + wide] = True
    return np.where(hole, 0, np.rint(z * 1000)).astype(np.uint16)
