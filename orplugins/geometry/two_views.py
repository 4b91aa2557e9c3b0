"""Two uncalibrated views: fundamental matrices, what they say of focal lengths, and the relative pose."""

from __future__ import annotations

import numpy as np


def eight_points(first: np.ndarray, second: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Fundamental matrices by the normalised eight-point algorithm (Hartley & Zisserman, section 11.2).

    Args:
        first: (..., N, 2) pixels.
        second: (..., N, 2) pixels of the other image.
        weights: (..., N), 0 for a point that is not used.

    Returns:
        (..., 3, 3) F with x2' F x1 = 0, of rank 2 and norm 1.
    """
    weights = weights[..., None]
    total = np.maximum(weights.sum(-2, keepdims=True), 1e-12)
    sides = []
    for points in (first, second):
        centre = (weights * points).sum(-2, keepdims=True) / total
        moved = points - centre
        spread = np.sqrt((weights * (moved**2).sum(-1, keepdims=True)).sum(-2, keepdims=True) / total / 2)
        spread = np.maximum(spread, 1e-9)
        sides.append((moved / spread, centre[..., 0, :], spread[..., 0, 0]))
    (a, centre_a, spread_a), (b, centre_b, spread_b) = sides
    ones = np.ones_like(a[..., :1])
    one, two = np.concatenate([a, ones], -1), np.concatenate([b, ones], -1)
    rows = (two[..., :, None] * one[..., None, :]).reshape(*one.shape[:-1], 9) * weights
    solution = np.linalg.eigh(np.swapaxes(rows, -1, -2) @ rows)[1][..., 0]
    u, s, v = np.linalg.svd(solution.reshape(*solution.shape[:-1], 3, 3))
    s[..., 2] = 0
    f = _normaliser(centre_b, spread_b, True) @ ((u * s[..., None, :]) @ v) @ _normaliser(centre_a, spread_a, False)
    return f / np.linalg.norm(f, axis=(-2, -1), keepdims=True)


def _normaliser(centre: np.ndarray, spread: np.ndarray, transposed: bool) -> np.ndarray:
    out = np.zeros((*spread.shape, 3, 3))
    out[..., 0, 0] = out[..., 1, 1] = 1 / spread
    out[..., :2, 2] = -centre / spread[..., None]
    out[..., 2, 2] = 1
    return np.swapaxes(out, -1, -2) if transposed else out


def line_distance(fundamental: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Signed symmetric epipolar distance of points in two images.

    Args:
        fundamental: (..., 3, 3), broadcast against the points.
        first: (..., N, 2) pixels.
        second: (..., N, 2) pixels of the other image.

    Returns:
        (..., N) pixels: half of the sum of the distances from both lines.
    """
    one, two = (np.concatenate([points, np.ones((*points.shape[:-1], 1))], -1) for points in (first, second))
    line_two, line_one = one @ np.swapaxes(fundamental, -1, -2), two @ fundamental
    value = (two * line_two).sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return 0.5 * value * (1 / np.hypot(*np.moveaxis(line_two[..., :2], -1, 0))
                              + 1 / np.hypot(*np.moveaxis(line_one[..., :2], -1, 0)))  # fmt: skip


def essential_mismatch(fundamental: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    """How far two cameras' matrices are from explaining a fundamental matrix.

    Args:
        fundamental: (3, 3).
        first: (3, 3) camera matrix of the first image.
        second: (3, 3) of the second.

    Returns:
        0 where the two singular values of the essential matrix are equal, as they must be, up to 1.
    """
    values = np.linalg.svd(second.T @ fundamental @ first, compute_uv=False)
    return float(1 - values[1] / values[0])


def relative_poses(essential: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The four (rotation, translation of length 1) from the first camera to the second (ibid., section 9.6.2).

    Args:
        essential: (3, 3).

    Returns:
        x2 = R x1 + t for each.
    """
    u, _, v = np.linalg.svd(essential)
    u, v = u * np.sign(np.linalg.det(u)), v * np.sign(np.linalg.det(v))
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    return [(u @ w @ v, sign * u[:, 2]) for w in (turn, turn.T) for sign in (1, -1)]
