"""The noise that RefiNet adds to poses: published generators, reproduced draw by draw."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

# Seeds of the published loader's generators.
SEEDS = {"val": 1295185, "test": 37}


def fixed_noise(index: int, seed: int, mean: float, sigma: float, dims: int, joints: int = 15) -> np.ndarray:
    """Noise (joints, dims) of the index-th frame: one draw a frame, in file order, from a generator of its own."""
    if index < 0:
        raise ValueError(f"index: found {index}, expected a frame's number from 0")
    # Tables grow by doubling, so that reading a split in order draws each frame's noise a few times at most.
    frames = max(64, 1 << int(index).bit_length())
    return _table(frames, seed, mean, sigma, dims, joints)[index]


def frozen_noise(frames: int, mean: float, sigma: float, dims: int, joints: int = 15) -> np.ndarray:
    """Noise (frames, joints, dims) for a whole run, from numpy's global generator."""
    return np.random.normal(mean, sigma, (frames, joints, dims))


@lru_cache(maxsize=8)
def _table(frames: int, seed: int, mean: float, sigma: float, dims: int, joints: int) -> np.ndarray:
    table = np.random.RandomState(seed).normal(mean, sigma, (frames, joints, dims))
    table.flags.writeable = False
    return table
