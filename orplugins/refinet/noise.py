"""The noise that RefiNet adds to poses: published generators, reproduced draw by draw."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

# Seeds of the published loader's generators.
SEEDS = {"val": 1295185, "test": 37}


def fixed_noise(index: int, seed: int, mean: float, sigma: float, dims: int, joints: int = 15) -> np.ndarray:
    """Noise of one frame: one draw per frame, in file order, from a generator of its own.

    Args:
        index: The frame's number, from 0 on.
        seed: Of the generator.
        mean: Of the noise.
        sigma: Standard deviation.
        dims: Coordinates of a joint.
        joints: Number of joints.

    Returns:
        (joints, dims).

    Raises:
        ValueError: A negative number.
    """
    if index < 0:
        raise ValueError(f"index: found {index}, expected a frame's number from 0")
    # Tables grow by doubling, so that reading a split in order draws each frame's noise a few times at most.
    frames = max(64, 1 << int(index).bit_length())
    return _table(frames, seed, mean, sigma, dims, joints)[index]


def frozen_noise(frames: int, mean: float, sigma: float, dims: int, joints: int = 15) -> np.ndarray:
    """Noise for a whole run, from numpy's global generator.

    Args:
        frames: Number of frames.
        mean: Of the noise.
        sigma: Standard deviation.
        dims: Coordinates of a joint.
        joints: Number of joints.

    Returns:
        (frames, joints, dims).
    """
    return np.random.normal(mean, sigma, (frames, joints, dims))


@lru_cache(maxsize=8)
def _table(frames: int, seed: int, mean: float, sigma: float, dims: int, joints: int) -> np.ndarray:
    table = np.random.RandomState(seed).normal(mean, sigma, (frames, joints, dims))
    table.flags.writeable = False
    return table
