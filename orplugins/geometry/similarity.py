"""Bringing one set of points onto another: rigid and similarity transforms (Umeyama 1991)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Similarity:
    """A similarity transform, ``points -> scale * R @ points + t``.

    Attributes:
        scale: Factor.
        rotation: (3, 3) R.
        translation: (3,) t, in the unit of the target points.
    """

    scale: float
    rotation: np.ndarray
    translation: np.ndarray

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Transform (..., 3)."""
        return self.scale * points @ self.rotation.T + self.translation


def fit_similarity(source: np.ndarray, target: np.ndarray, with_scale: bool = True) -> Similarity:
    """The transform that brings one set of points closest to another (Umeyama 1991); reflections are not allowed.

    Args:
        source: (N, 3) points.
        target: (N, 3) points that correspond to them.
        with_scale: Fit the scale too; otherwise it is 1.

    Returns:
        The transform from ``source`` to ``target``.

    Raises:
        ValueError: Fewer than three points, or NaN among them.
    """
    source, target = np.asarray(source, dtype=np.float64), np.asarray(target, dtype=np.float64)
    if source.shape != target.shape or source.ndim != 2 or len(source) < 3:
        raise ValueError(f"alignment: points {source.shape} and {target.shape}, expected the same (N, 3) with N >= 3")
    if not (np.isfinite(source).all() and np.isfinite(target).all()):
        raise ValueError("alignment: NaN or infinity among the points, expected finite coordinates")
    middle, goal = source.mean(0), target.mean(0)
    s, d = source - middle, target - goal
    u, singular, vt = np.linalg.svd(d.T @ s / len(s))
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * signs) @ vt
    spread = (s**2).sum(1).mean()
    scale = float((singular * signs).sum() / spread) if with_scale and spread > 0 else 1.0
    return Similarity(scale, rotation, goal - scale * rotation @ middle)


def align_clip(
    a: np.ndarray, b: np.ndarray, mode: str, roots: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, Similarity]:
    """Bring one clip onto another with one transform from all common joints.

    Args:
        a: (F, J, 3) clip that stays, NaN = missing.
        b: (F, J, 3) clip that is moved, NaN = missing.
        mode: "none", "root" (both minus their own root, frame by frame), "rigid" or "similarity".
        roots: The two joints whose mean is the root.

    Returns:
        (a, b) after alignment, and the transform (identity for "none" and "root").

    Raises:
        ValueError: Another mode, or fewer than three common joint samples.
    """
    identity = Similarity(1.0, np.eye(3), np.zeros(3))
    if mode == "none":
        return a, b, identity
    if mode == "root":
        return *(clip - clip[:, list(roots)].mean(1, keepdims=True) for clip in (a, b)), identity
    if mode not in ("rigid", "similarity"):
        raise ValueError(f"alignment is {mode!r}, expected none, root, rigid or similarity")
    common = np.isfinite(a).all(-1) & np.isfinite(b).all(-1)
    if common.sum() < 3:
        raise ValueError(f"alignment: {int(common.sum())} common joint samples, expected at least 3")
    transform = fit_similarity(b[common], a[common], with_scale=mode == "similarity")
    return a, transform(b), transform


def procrustes(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """One pose after the similarity transform that brings it closest to another (Umeyama 1991).

    Args:
        source: (J, 3) pose that is moved.
        target: (J, 3) pose that it is brought to.

    Returns:
        (J, 3) the moved pose.
    """
    centre, goal = source.mean(axis=0), target.mean(axis=0)
    x, y = source - centre, target - goal
    u, singular, vt = np.linalg.svd(x.T @ y)
    sign = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    norm = (x**2).sum()
    scale = (singular * sign).sum() / norm if norm > 0 else 0.0
    return scale * x @ (u * sign) @ vt + goal
