"""Epipolar geometry of two calibrated cameras."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orplugins.geometry.cameras import Camera


def epipolar_distance(cameras: Sequence[Camera], first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Symmetric epipolar distance of points in two images.

    Args:
        cameras: The two cameras.
        first: (..., 2) undistorted pixels of the first camera.
        second: (..., 2) undistorted pixels of the second camera.

    Returns:
        (...) mean of the distances of each point from the other's epipolar line, pixels.
    """
    fundamental = fundamental_matrix(cameras)
    one, two = (np.concatenate([points, np.ones((*points.shape[:-1], 1))], -1) for points in (first, second))
    line_two, line_one = one @ fundamental.T, two @ fundamental
    value = np.abs((two * line_two).sum(-1))
    return (
        0.5 * value * (1 / np.linalg.norm(line_two[..., :2], axis=-1) + 1 / np.linalg.norm(line_one[..., :2], axis=-1))
    )


def fundamental_matrix(cameras: Sequence[Camera]) -> np.ndarray:
    """Fundamental matrix of two calibrated cameras (Hartley & Zisserman, section 9.2).

    Args:
        cameras: The two cameras.

    Returns:
        (3, 3) F with x2' F x1 = 0 for undistorted pixels of the two cameras.
    """
    relative = np.linalg.inv(cameras[1].pose) @ cameras[0].pose
    x, y, z = relative[:3, 3]
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.linalg.inv(cameras[1].matrix).T @ cross @ relative[:3, :3] @ np.linalg.inv(cameras[0].matrix)
