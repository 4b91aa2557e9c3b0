"""Essential matrices of two views from corresponding rays: many small linear problems at once.

The eight-point method with normalised coordinates: Hartley & Zisserman, Multiple View Geometry, section 11.2.
"""

from __future__ import annotations

import numpy as np

_LIMIT = 1e-12


def eight_point(first: np.ndarray, second: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Essential matrices by weighted linear least squares.

    Args:
        first: (H, N, 2) rays x/z, y/z of the first view.
        second: (H, N, 2) of the second view.
        weight: (H, N), 0 for what is not there.

    Returns:
        (H, 3, 3) E with x2' E x1 = 0 and singular values 1, 1, 0.
    """
    one, two = _normalisation(first, weight), _normalisation(second, weight)
    a = np.where(weight[..., None] > 0, first, 0.0) * one[:, None, :1] + one[:, None, 1:]
    b = np.where(weight[..., None] > 0, second, 0.0) * two[:, None, :1] + two[:, None, 1:]
    ones = np.ones((*weight.shape, 1))
    a, b = np.concatenate([a, ones], -1), np.concatenate([b, ones], -1)
    rows = (b[..., :, None] * a[..., None, :]).reshape(*weight.shape, 9) * weight[..., None]
    _, vectors = np.linalg.eigh(np.swapaxes(rows, 1, 2) @ rows)
    found = _matrix(two).transpose(0, 2, 1) @ vectors[..., 0].reshape(-1, 3, 3) @ _matrix(one)
    return nearest_essential(found)


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


def _normalisation(rays: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(H, 3) factor and two shifts that bring the rays' middle to 0 and their mean square to 1."""
    there = weight[..., None] > 0
    count = np.maximum(there.sum(1), 1)
    middle = np.where(there, rays, 0.0).sum(1) / count
    spread = np.where(there, (rays - middle[:, None]) ** 2, 0.0).sum((1, 2)) / count[:, 0]
    factor = 1 / np.sqrt(np.maximum(spread, _LIMIT))
    return np.concatenate([factor[:, None], -factor[:, None] * middle], -1)


def _matrix(normalisation: np.ndarray) -> np.ndarray:
    out = np.zeros((len(normalisation), 3, 3))
    out[:, 0, 0] = out[:, 1, 1] = normalisation[:, 0]
    out[:, :2, 2], out[:, 2, 2] = normalisation[:, 1:], 1.0
    return out
