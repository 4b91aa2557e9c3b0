"""Figures of a calibration from people: epipolar lines, the room from above, errors over the images."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.geometry.epipolar import fundamental_matrix
from orplugins.skeletons import COCO_17
from orplugins.viz.figures import limb_colour, new_figure, save_figure

_VIEW_M = 0.6  # length of the drawn viewing direction


def draw_epipolar_lines(
    path: str | os.PathLike,
    cameras: Sequence[Camera],
    names: Sequence[str],
    pixels: np.ndarray,
    images: Sequence[np.ndarray | None] = (),
) -> None:
    """Draw people of two cameras, each with the lines on which the other camera says its joints lie.

    Args:
        path: The PNG.
        cameras: The two cameras.
        names: Of them.
        pixels: (P, 2, 17, 2) joints of the same people, undistorted pixels, NaN where missing.
        images: The two images (H, W, 3) RGB, None where there is none.
    """
    figure = new_figure(13, 5.2)
    fundamental = fundamental_matrix(cameras)
    for side, (camera, name) in enumerate(zip(cameras, names, strict=True)):
        axes = figure.add_subplot(1, 2, side + 1)
        if side < len(images) and images[side] is not None:
            axes.imshow(images[side])
        own, other = pixels[:, side], pixels[:, 1 - side]
        matrix = fundamental if side == 1 else fundamental.T
        for person in range(len(pixels)):
            colour = f"C{person % 10}"
            both = np.isfinite(own[person]).all(-1) & np.isfinite(other[person]).all(-1)
            for x, y in other[person][both]:
                _line(axes, matrix @ (x, y, 1.0), camera.size, colour)
            for a, b in COCO_17.limbs:
                if np.isfinite(own[person][[a, b]]).all():
                    axes.plot(*own[person][[a, b]].T, color=colour, linewidth=2)
            axes.plot(*own[person][both].T, "o", color=colour, markersize=4, markeredgecolor="black")
        axes.set_xlim(0, camera.size[0])
        axes.set_ylim(camera.size[1], 0)
        axes.set_aspect("equal")
        axes.set_title(f"{name}: joints, and lines on which {names[1 - side]} sees them", fontsize=9)
    figure.tight_layout()
    save_figure(path, figure)


def _line(axes, line: np.ndarray, size: tuple[int, int], colour: str) -> None:
    """Draw a x + b y + c = 0 over an image."""
    a, b, c = line
    if abs(b) > abs(a):
        x = np.array([0.0, size[0]])
        axes.plot(x, -(a * x + c) / b, color=colour, linewidth=0.6, alpha=0.6)
    elif abs(a) > 0:
        y = np.array([0.0, size[1]])
        axes.plot(-(b * y + c) / a, y, color=colour, linewidth=0.6, alpha=0.6)


def draw_room(
    path: str | os.PathLike,
    cameras: Sequence[Camera],
    names: Sequence[str],
    points: np.ndarray,
    spread: Sequence[float],
    title: str,
) -> None:
    """Draw cameras and people from above and from the side; the world is a room with z up.

    Args:
        path: The PNG.
        cameras: The cameras.
        names: Of them.
        points: (P, 17, 3) people, metres, NaN where missing.
        spread: Uncertainty of the cameras' places, metres: circles of twice that.
        title: Of the figure.
    """
    figure = new_figure(12, 5.6)
    above, beside = figure.add_subplot(1, 2, 1), figure.add_subplot(1, 2, 2)
    for axes, (u, v) in ((above, (0, 1)), (beside, (0, 2))):
        for person in points[:: max(len(points) // 60, 1)]:
            for a, b in COCO_17.limbs:
                if np.isfinite(person[[a, b]]).all():
                    axes.plot(*person[[a, b]][:, [u, v]].T, color=limb_colour(COCO_17, a, b), linewidth=0.6, alpha=0.6)
        for k, (camera, name, wide) in enumerate(zip(cameras, names, spread, strict=True)):
            place, ahead = camera.pose[:3, 3], camera.pose[:3, 2]
            axes.plot(*np.stack([place, place + _VIEW_M * ahead])[:, [u, v]].T, color="black", linewidth=1.5)
            axes.plot(place[u], place[v], "s", color=f"C{k}", markeredgecolor="black")
            turn = np.linspace(0, 2 * np.pi, 40)
            axes.plot(
                place[u] + 2 * wide * np.cos(turn), place[v] + 2 * wide * np.sin(turn), color=f"C{k}", linewidth=1
            )
            axes.annotate(name, (place[u], place[v]), textcoords="offset points", xytext=(6, 6), fontsize=8)
        axes.set_aspect("equal", "datalim")
        axes.set_xlabel("x (m)")
    above.set_ylabel("y (m)")
    above.set_title("from above")
    beside.set_ylabel("z (m)")
    beside.axhline(0, color="grey", linewidth=1)
    beside.set_title("from the side; the grey line is the floor")
    figure.suptitle(title, fontsize=10)
    figure.tight_layout()
    save_figure(path, figure)


def draw_errors(
    path: str | os.PathLike,
    cameras: Sequence[Camera],
    names: Sequence[str],
    pixels: np.ndarray,
    errors: np.ndarray,
    cells: int = 12,
) -> None:
    """Draw where in the images joints lie far from where the calibration puts them.

    Args:
        path: The PNG.
        cameras: V cameras.
        names: Of them.
        pixels: (P, V, 17, 2) joints.
        errors: (P, V, 17) distances, pixels, NaN where a joint is not used.
        cells: Across an image.
    """
    figure = new_figure(4.6 * len(cameras), 4.0)
    most = float(np.nanpercentile(errors, 90)) if np.isfinite(errors).any() else 1.0
    for v, (camera, name) in enumerate(zip(cameras, names, strict=True)):
        axes = figure.add_subplot(1, len(cameras), v + 1)
        width, height = camera.size
        side = width / cells
        rows = int(np.ceil(height / side))
        used = np.isfinite(errors[:, v])
        column, row = np.floor(pixels[:, v][used].T / side).astype(int)
        table = np.full((rows, cells), np.nan)
        for y in range(rows):
            for x in range(cells):
                inside = errors[:, v][used][(column == x) & (row == y)]
                table[y, x] = np.median(inside) if len(inside) >= 3 else np.nan
        shown = axes.imshow(table, extent=(0, cells * side, rows * side, 0), vmin=0, vmax=most, cmap="viridis")
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        axes.set_title(f"{name}: median error, px", fontsize=9)
        figure.colorbar(shown, ax=axes, shrink=0.7)
    figure.tight_layout()
    save_figure(path, figure)
