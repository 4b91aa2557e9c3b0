"""Points of two or more views whose poses are known."""

from __future__ import annotations

import numpy as np


def intersect_two(pose: np.ndarray, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points nearest to both rays, in the first camera.

    Args:
        pose: (3, 4) [R | t], first to second camera.
        first: (..., 2) rays of the first camera.
        second: (..., 2) rays of the second camera.

    Returns:
        (..., 3) points, and (..., 2) their depths in both cameras.
    """
    rotation, centre = pose[:, :3], -pose[:, :3].T @ pose[:, 3]
    ones = np.ones((*first.shape[:-1], 1))
    a = np.concatenate([first, ones], -1)
    b = np.concatenate([second, ones], -1) @ rotation
    aa, bb, ab = (a * a).sum(-1), (b * b).sum(-1), (a * b).sum(-1)
    ac, bc = a @ centre, b @ centre
    below = np.maximum(aa * bb - ab * ab, 1e-12)
    s, t = (ac * bb - bc * ab) / below, (ac * ab - bc * aa) / below
    points = (s[..., None] * a + centre + t[..., None] * b) / 2
    return points, np.stack([s, t], -1)


def relative_pose(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(3, 4) pose that takes the first camera's axes to the second's.

    Args:
        first: (3, 4) world to the first camera.
        second: (3, 4) world to the second camera.
    """
    rotation = second[:, :3] @ first[:, :3].T
    return np.column_stack([rotation, second[:, 3] - rotation @ first[:, 3]])


def chained(first: np.ndarray, relative: np.ndarray) -> np.ndarray:
    """(3, 4) world to the second camera, from the first camera's pose and `relative_pose`."""
    rotation = relative[:, :3]
    return np.column_stack([rotation @ first[:, :3], rotation @ first[:, 3] + relative[:, 3]])


def inverted(pose: np.ndarray) -> np.ndarray:
    """(3, 4) inverse of a pose."""
    return np.column_stack([pose[:, :3].T, -pose[:, :3].T @ pose[:, 3]])


def intersect(poses: np.ndarray, rays: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Points nearest to the rays of all views.

    Args:
        poses: (V, 3, 4) world to camera.
        rays: (P, V, J, 2).
        seen: (P, V, J).

    Returns:
        (P, J, 3); NaN where fewer than two views see a joint.
    """
    direction = np.concatenate([np.where(seen[..., None], rays, 0.0), np.ones((*seen.shape, 1))], -1)
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
    direction = np.einsum("vba,pvjb->pvja", poses[:, :, :3], direction)
    centres = -np.einsum("vba,vb->va", poses[:, :, :3], poses[:, :, 3])
    across = np.where(seen[..., None, None], np.eye(3) - direction[..., :, None] * direction[..., None, :], 0.0)
    left, right = across.sum(1), np.einsum("pvjab,vb->pja", across, centres)
    enough = (seen.sum(1) >= 2)[..., None]
    left = np.where(enough[..., None], left, np.eye(3))
    points = np.linalg.solve(left + 1e-12 * np.eye(3), right[..., None])[..., 0]
    return np.where(enough, points, np.nan)
