"""Essential matrices of two views from corresponding rays: many small linear problems at once."""

from __future__ import annotations

import numpy as np

from orplugins.geometry.two_views import eight_points

_LIMIT = 1e-12


def eight_point(first: np.ndarray, second: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Essential matrices by weighted linear least squares.

    Args:
        first: (H, N, 2) rays x/z, y/z of the first view.
        second: (H, N, 2) of the second view.
        weight: (H, N), 0 for what is not there.

    Returns:
        (H, 3, 3) E with x2' E x1 = 0 and singular values 1, 1, 0: of calibrated rays a fundamental matrix is essential.
    """
    there = (weight > 0)[..., None]
    return nearest_essential(eight_points(np.where(there, first, 0.0), np.where(there, second, 0.0), weight))


def nearest_essential(matrices: np.ndarray) -> np.ndarray:
    """(H, 3, 3) essential matrices nearest to any matrices."""
    u, _, v = np.linalg.svd(matrices)
    return u[..., :2] @ v[..., :2, :]


def sampson(essential: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """First-order distance of correspondences from an essential matrix (Hartley & Zisserman, section 11.4.3).

    Args:
        essential: (H, 3, 3).
        first: (N, 2) rays of the first view.
        second: (N, 2) rays of the second view.

    Returns:
        (H, N) in the rays' unit, not signed.
    """
    e = essential[..., None]
    x, y = first[:, 0], first[:, 1]
    line = [e[:, k, 0] * x + e[:, k, 1] * y + e[:, k, 2] for k in range(3)]
    u, v = second[:, 0], second[:, 1]
    back = [e[:, 0, k] * u + e[:, 1, k] * v + e[:, 2, k] for k in range(2)]
    value = np.abs(u * line[0] + v * line[1] + line[2])
    return value / np.sqrt(line[0] ** 2 + line[1] ** 2 + back[0] ** 2 + back[1] ** 2 + _LIMIT)


def essential_of(pose: np.ndarray) -> np.ndarray:
    """(3, 3) essential matrix of a (3, 4) pose [R | t]."""
    x, y, z = pose[:, 3] / max(float(np.linalg.norm(pose[:, 3])), 1e-12)
    return np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]) @ pose[:, :3]
