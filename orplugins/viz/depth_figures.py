"""Figures of refined 3D poses: the depth image with the pose on it, and the pose from the side, before and after."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from orplugins.io.atomic import atomic_write
from orplugins.skeletons import Skeleton

_PEOPLE = ("#e6550d", "#3182bd", "#31a354", "#756bb1", "#d6a900", "#17becf")
_PLAIN = "#9a9a9a"


def _figure(**options):
    # Not pyplot: no window system is asked for, and no figure stays behind.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(**options)
    FigureCanvasAgg(figure)
    return figure


def _limits(points: list[np.ndarray]) -> list[tuple[float, float]]:
    """Equal lengths on all three axes (right, forward, up) around the points."""
    joined = np.concatenate([*points, np.zeros((0, 3))])
    if not len(joined):
        return [(-1, 1), (0, 2), (-1, 1)]
    low, high = joined.min(0), joined.max(0)
    reach = max(float((high - low).max()), 1.0) / 2 + 0.1
    return [(float(c) - reach, float(c) + reach) for c in (low + high) / 2]


def _room(points: np.ndarray) -> np.ndarray:
    """Camera axes (x right, y down, z forward) as (right, forward, up)."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)


def _draw(axes, points: np.ndarray, valid: np.ndarray, hidden: np.ndarray, skeleton: Skeleton, colour: str) -> None:
    room = _room(points)
    for a, b in skeleton.limbs:
        if valid[a] and valid[b]:
            axes.plot(*room[[a, b]].T, color=colour, linewidth=2)
    for part, marker in ((valid & ~hidden, "o"), (valid & hidden, "x")):
        if part.any():
            axes.scatter(*room[part].T, color=colour, marker=marker, s=16)


def _scene(axes, result, skeleton: Skeleton, limits, plain: bool, title: str) -> None:
    for k in range(len(result.points)):
        colour = _PLAIN if plain else _PEOPLE[k % len(_PEOPLE)]
        hidden = np.zeros_like(result.hidden[k]) if plain else result.hidden[k]
        _draw(axes, (result.plain if plain else result.points)[k], result.valid[k], hidden, skeleton, colour)
    for name, limit in zip(("x", "y", "z"), limits, strict=True):
        getattr(axes, f"set_{name}lim")(*limit)
    axes.set_xlabel("right, m")
    axes.set_ylabel("forward, m")
    axes.set_zlabel("up, m")
    # From the person's side: errors of depth are what matters.
    axes.view_init(elev=12, azim=-25)
    axes.set_title(title, fontsize=9)


def draw_frame(path: str | os.PathLike, depth_mm: np.ndarray, result, skeleton: Skeleton, name: str) -> None:
    """Write a PNG: depth image with the refined pose, plain lifting in 3D, refined pose in 3D (crosses: hidden joints).

    Args:
        path: The file.
        depth_mm: (H, W) millimetres, 0 = hole.
        result: An `orplugins.refinet.refiner.Refined3D`.
        skeleton: Its joint set.
        name: Title of the figure.
    """
    figure = _figure(figsize=(13, 4.2), layout="constrained")
    picture = figure.add_subplot(1, 3, 1)
    shown = np.ma.masked_equal(np.asarray(depth_mm, dtype=np.float32) / 1000, 0)
    picture.set_facecolor("#101430")
    picture.imshow(shown, cmap="gray_r")
    for k in range(len(result.points)):
        colour, valid, pixels = _PEOPLE[k % len(_PEOPLE)], result.valid[k], result.pixels[k]
        for a, b in skeleton.limbs:
            if valid[a] and valid[b]:
                picture.plot(*pixels[[a, b]].T, color=colour, linewidth=2)
        for part, marker in ((valid & ~result.hidden[k], "o"), (valid & result.hidden[k], "x")):
            picture.scatter(*pixels[part].T, color=colour, marker=marker, s=16)
    picture.set_title(f"{name}: depth, refined pose", fontsize=9)
    picture.set_xlim(-0.5, shown.shape[1] - 0.5)
    picture.set_ylim(shown.shape[0] - 0.5, -0.5)
    limits = _limits([_room(result.points[result.valid])])
    _scene(figure.add_subplot(1, 3, 2, projection="3d"), result, skeleton, limits, True, "plain lifting")
    _scene(figure.add_subplot(1, 3, 3, projection="3d"), result, skeleton, limits, False, "refined (x: hidden)")
    with atomic_write(Path(path), "wb") as file:
        figure.savefig(file, format="png", dpi=90)


def save_animation(
    path: str | os.PathLike, results: Sequence, skeleton: Skeleton, names: Sequence[str], fps: float = 5.0
) -> None:
    """Write a GIF of the refined poses of all frames, from one fixed view.

    Args:
        path: The file.
        results: One `orplugins.refinet.refiner.Refined3D` per frame.
        skeleton: Their joint set.
        names: Titles of the frames.
        fps: Frames per second.
    """
    from PIL import Image

    limits = _limits([_room(result.points[result.valid]) for result in results])
    pictures = []
    for result, name in zip(results, names, strict=True):
        figure = _figure(figsize=(4.5, 4.5))
        _scene(figure.add_subplot(projection="3d"), result, skeleton, limits, False, name)
        figure.canvas.draw()
        pictures.append(Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB"))
    with atomic_write(Path(path), "wb") as file:
        pictures[0].save(
            file, format="GIF", save_all=True, append_images=pictures[1:], loop=0, duration=int(1000 / fps)
        )
