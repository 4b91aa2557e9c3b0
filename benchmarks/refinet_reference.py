"""One joint at a time, as RefiNet's published loader works: what the fast way is tested and timed against."""

from __future__ import annotations

import numpy as np

from orplugins.refinet.checks import half_metres
from orplugins.refinet.patches import ITOP_PATCH_MEAN, ITOP_PATCH_STD


def published_patch(joint: np.ndarray, depth_mm: np.ndarray, size: int = 40) -> np.ndarray:
    """Module A's patch (size, size) of one joint (x, y) on ITOP's depth (H, W)."""
    depth = half_metres(depth_mm)
    x, y = int(joint[0]), int(joint[1])
    half = size // 2
    window = depth[y - half : y + half, x - half : x + half]
    patch = np.zeros((size, size), dtype=depth.dtype)
    patch[: window.shape[0], : window.shape[1]] = window
    patch[patch == 0] = depth.mean()
    return ((patch.astype(np.float64) - ITOP_PATCH_MEAN) / ITOP_PATCH_STD).astype(np.float32)


def published_cloud(joint: np.ndarray, points: np.ndarray, num_points: int = 2000) -> np.ndarray:
    """Module C's point set (num_points + 1, 3) of one joint (3,) out of all points (P, 3) of a frame."""
    cloud = np.zeros((num_points + 1, 3), dtype=np.float32)
    if joint[2] == 0:
        return cloud
    side, chosen = 300, points[:0]
    while len(chosen) <= 128 and side <= 450:
        low, high = (joint - side / 2).astype(np.float32), (joint + side / 2).astype(np.float32)
        chosen = points[((points > low) & (points < high)).all(axis=1)]
        chosen = chosen[chosen[:, 2] != 0]
        side += 50
    chosen = chosen[:num_points]
    if len(chosen):
        std = chosen.std(axis=0, dtype=np.float64)
        cloud[: len(chosen)] = (chosen - chosen.mean(axis=0, dtype=np.float64)) / np.where(std > 0, std, 1)
    cloud[num_points] = len(chosen)
    return cloud
