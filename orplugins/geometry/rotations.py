"""Rotation vectors (Rodrigues' formula) and the rotation nearest to a matrix."""

from __future__ import annotations

import numpy as np


def from_vector(vector: np.ndarray) -> np.ndarray:
    """Rotation about an axis.

    Args:
        vector: (3,) axis times angle, radians.

    Returns:
        (3, 3).
    """
    angle = float(np.linalg.norm(vector))
    x, y, z = np.asarray(vector, dtype=np.float64) / max(angle, 1e-300)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    # 1 - cos of a small angle would lose its digits.
    return np.eye(3) + np.sin(angle) * cross + 2 * np.sin(angle / 2) ** 2 * cross @ cross


def to_vector(rotation: np.ndarray) -> np.ndarray:
    """Inverse of `from_vector`.

    Args:
        rotation: (3, 3).

    Returns:
        (3,) axis times angle, the angle at most pi.
    """
    # The largest column of 1 + R + R^T - trace terms (the quaternion's outer product) keeps its digits at any angle.
    m = rotation
    outer = np.array(
        [
            [1 + m[0, 0] + m[1, 1] + m[2, 2], m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]],
            [m[2, 1] - m[1, 2], 1 + m[0, 0] - m[1, 1] - m[2, 2], m[0, 1] + m[1, 0], m[0, 2] + m[2, 0]],
            [m[0, 2] - m[2, 0], m[0, 1] + m[1, 0], 1 - m[0, 0] + m[1, 1] - m[2, 2], m[1, 2] + m[2, 1]],
            [m[1, 0] - m[0, 1], m[0, 2] + m[2, 0], m[1, 2] + m[2, 1], 1 - m[0, 0] - m[1, 1] + m[2, 2]],
        ]
    )
    w, *axis = outer[np.argmax(np.diag(outer))] / np.sqrt(4 * np.diag(outer).max())
    if w < 0:
        w, axis = -w, [-value for value in axis]
    length = float(np.linalg.norm(axis))
    return np.array(axis) * (2 * np.arctan2(length, w) / length if length > 1e-200 else 2.0)


def nearest_rotation(matrix: np.ndarray) -> np.ndarray:
    """The rotation nearest to a matrix (files carry rounded numbers).

    Args:
        matrix: (3, 3) of positive determinant.

    Returns:
        (3, 3).
    """
    u, _, v = np.linalg.svd(matrix)
    return u @ v
