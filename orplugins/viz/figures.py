"""Figures of 3D people, of lifted clips and of metrics: PNG, GIF, MP4; no display is needed."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from orplugins.io.atomic import atomic_write
from orplugins.skeletons import Skeleton

# Sides: as in mmpose's colours, dark enough for white paper.
LEFT, RIGHT, MIDDLE = (0.0, 0.55, 0.2), (0.9, 0.45, 0.0), (0.2, 0.35, 0.8)
_STYLES = {"annotated": "--"}
ELEVATION, AZIMUTH, SIDE = 15.0, 70.0, 1.7  # VideoPose3D's view, degrees and metres


def limb_colour(skeleton: Skeleton, a: int, b: int) -> tuple[float, float, float]:
    """Colour of the side that a limb belongs to.

    Args:
        skeleton: The joint set.
        a: Index of one joint.
        b: Index of the other joint.

    Returns:
        RGB, 0 to 1 each.
    """
    names = skeleton.joints[a], skeleton.joints[b]
    sides = {name.split("_")[0] for name in names} & {"left", "right"}
    return MIDDLE if len(sides) != 1 else LEFT if "left" in sides else RIGHT


def new_figure(width: float, height: float, dpi: int = 100):
    """Return a figure of (width, height) inches that no window system is asked for."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=dpi)
    FigureCanvasAgg(figure)
    return figure


def save_figure(path: str | os.PathLike, figure) -> None:
    """Write a figure as PNG, whole or not at all.

    Args:
        path: The file.
        figure: A matplotlib figure.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    with atomic_write(path, "wb") as file:
        file.write(buffer.getvalue())


def upright(points: np.ndarray, up: np.ndarray | None) -> np.ndarray:
    """Turn points so that the vertical is z.

    Args:
        points: (..., 3).
        up: (3,) the vertical; None: z already.

    Returns:
        (..., 3).
    """
    if up is None:
        return points
    z = np.asarray(up, dtype=np.float64) / np.linalg.norm(up)
    x = np.cross((0.0, 1.0, 0.0) if abs(z[1]) < 0.9 else (0.0, 0.0, 1.0), z)
    x /= np.linalg.norm(x)
    return points @ np.stack([x, np.cross(z, x), z]).T


def plot_pose(axes, pose: np.ndarray, skeleton: Skeleton, style: str = "-", width: float = 2.0) -> None:
    """Draw the limbs of a pose (J, 3) into 3D axes; NaN joints are left out."""
    for a, b in skeleton.limbs:
        if np.isfinite(pose[[a, b]]).all():
            axes.plot(*pose[[a, b]].T, style, color=limb_colour(skeleton, a, b), linewidth=width)


def draw_people(
    path: str | os.PathLike,
    groups: dict[str, np.ndarray],
    skeleton: Skeleton,
    title: str,
    up: np.ndarray | None = None,
) -> None:
    """Draw people in 3D and from above into a PNG.

    Args:
        path: The file.
        groups: Name -> (N, J, 3) metres, NaN joints left out; the group "annotated" is dashed.
        skeleton: Their joint set.
        title: Of the figure.
        up: (3,) the vertical; None: z.
    """
    figure = new_figure(11, 5.5)
    solid, above = figure.add_subplot(1, 2, 1, projection="3d"), figure.add_subplot(1, 2, 2)
    every = [upright(people, up) for people in groups.values()]
    for (name, _), people in zip(groups.items(), every, strict=True):
        style = _STYLES.get(name, "-")
        for pose in people:
            plot_pose(solid, pose, skeleton, style)
            for a, b in skeleton.limbs:
                if np.isfinite(pose[[a, b]]).all():
                    above.plot(*pose[[a, b], :2].T, style, color=limb_colour(skeleton, a, b))
        above.plot([], [], style, color="black", label=f"{name}: {len(people)}")
    points = np.concatenate([people.reshape(-1, 3) for people in every])
    points = points[np.isfinite(points).all(-1)]
    if len(points):
        middle, half = (points.max(0) + points.min(0)) / 2, max(np.ptp(points, axis=0).max() / 2, 0.8)
        for set_limits, m in zip((solid.set_xlim, solid.set_ylim, solid.set_zlim), middle, strict=True):
            set_limits(m - half, m + half)
    solid.set_title(title)
    above.set_aspect("equal", "datalim")
    above.set_xlabel("x (m)")
    above.set_ylabel("y (m)")
    above.legend()
    above.set_title("from above")
    save_figure(path, figure)


def animation_frames(
    poses: np.ndarray,
    skeleton: Skeleton,
    keypoints: np.ndarray | None,
    size: tuple[int, int],
    source: Skeleton,
    pictures: Callable[[int], np.ndarray | None],
    indices: np.ndarray,
    inferred: np.ndarray | None = None,
    height_px: int = 360,
) -> Iterator[np.ndarray]:
    """Frames of a clip: the image with its 2D joints beside the 3D pose.

    Args:
        poses: (F, J, 3) display axes, z up (see ``videopose3d.screen.display_points``).
        skeleton: Joint set of the poses.
        keypoints: (F, K, 2) pixels, or None.
        size: (width, height) of the video.
        source: Joint set of the keypoints.
        pictures: Frame number to (H, W, 3) RGB, or None for black.
        indices: Frames to draw.
        inferred: (F,) frames without a detection: their title says so.
        height_px: Height of the result.

    Yields:
        (H, W, 3) uint8 RGB.
    """
    width = height_px * size[0] / size[1]
    figure = new_figure((width + height_px) / 100, height_px / 100)
    share = width / (width + height_px)
    flat = figure.add_axes((0, 0, share, 1))
    solid = figure.add_axes((share, 0, 1 - share, 1), projection="3d")
    for index in indices:
        flat.clear()
        solid.clear()
        picture = pictures(int(index))
        flat.imshow(np.zeros((size[1], size[0], 3), np.uint8) if picture is None else picture)
        flat.set_xlim(0, size[0])
        flat.set_ylim(size[1], 0)
        flat.axis("off")
        if keypoints is not None:
            for a, b in source.limbs:
                flat.plot(*keypoints[index][[a, b]].T, color=limb_colour(source, a, b), linewidth=1.5)
        plot_pose(solid, poses[index], skeleton)
        root = poses[index][0]
        solid.set_xlim(root[0] - SIDE / 2, root[0] + SIDE / 2)
        solid.set_ylim(root[1] - SIDE / 2, root[1] + SIDE / 2)
        solid.set_zlim(0, SIDE)
        solid.view_init(elev=ELEVATION, azim=AZIMUTH)
        solid.set_xticklabels([])
        solid.set_yticklabels([])
        note = " (interpolated)" if inferred is not None and inferred[index] else ""
        flat.text(0.02, 0.98, f"frame {index}{note}", color="white", transform=flat.transAxes, va="top", fontsize=8)
        figure.canvas.draw()
        yield np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()


def write_animation(path: str | os.PathLike, frames: Iterator[np.ndarray], fps: float) -> int:
    """Write frames as ``.gif`` (Pillow) or as a video (OpenCV).

    Args:
        path: The file; its suffix chooses the form.
        frames: (H, W, 3) uint8 RGB each.
        fps: Frames per second.

    Returns:
        Number of frames written.

    Raises:
        ValueError: No frame, another suffix, or no encoder for it here.
    """
    suffix = Path(path).suffix.lower()
    if suffix != ".gif":
        from orplugins.io.video import write_video

        return write_video(path, (frame[..., ::-1] for frame in frames), fps)
    from PIL import Image

    pictures = [Image.fromarray(frame) for frame in frames]
    if not pictures:
        raise ValueError(f"{path}: no frame to write")
    # A palette of its own for every frame, and no merging of equal frames: the clip keeps its length.
    with atomic_write(path, "wb") as file:
        pictures[0].save(
            file,
            format="GIF",
            save_all=True,
            append_images=pictures[1:],
            duration=max(20, round(1000 / fps)),
            loop=0,
            optimize=False,
            disposal=2,
        )
    return len(pictures)


def plot_ladder(tables: dict[str, dict[float, dict[str, float]]], path: str | Path) -> None:
    """Draw metrics against scale, one panel per metric and one line per model, into a PNG.

    Args:
        tables: Model -> factor -> metric -> value.
        path: The file.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    titles = list(next(iter(next(iter(tables.values())).values())))
    figure, axes = pyplot.subplots(1, len(titles), figsize=(3.2 * len(titles), 3), squeeze=False)
    for axis, title in zip(axes[0], titles, strict=True):
        for name, table in tables.items():
            axis.plot(list(table), [row[title] for row in table.values()], marker="o", label=name)
        axis.set_title(title)
        axis.set_xlabel("times smaller")
        axis.grid(alpha=0.3)
    axes[0][0].legend(fontsize="small")
    figure.tight_layout()
    try:
        with atomic_write(path, "wb") as file:
            figure.savefig(file, format="png", dpi=110)
    finally:
        pyplot.close(figure)
