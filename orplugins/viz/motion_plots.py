"""Plots of two recordings of one motion (:class:`orplugins.motion.compare.Comparison`)."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from orplugins.skeletons import Skeleton
from orplugins.viz.figures import new_figure, plot_pose, save_figure

A_COLOUR, B_COLOUR = "#1f4e9c", "#d1495b"
PLOTS = ("joints", "trajectories", "angles", "lag", "time", "skeletons")


def draw_comparison(folder: Path, stem: str, c, mode: str, frame: int, skeleton: Skeleton) -> None:
    """Draw the plots of one comparison as ``STEM_KIND.png``, a kind of :data:`PLOTS` each.

    Args:
        folder: Where they are written.
        stem: Start of their names.
        c: The comparison.
        mode: The alignment that is shown.
        frame: Frame at which both skeletons are drawn; the nearest one that has all joints.
        skeleton: Joints of the compared clips.
    """
    drawings = (_joint_errors, _trajectories, _angles, _lag, _over_time, _skeletons)
    for kind, draw in zip(PLOTS, drawings, strict=True):
        figure = draw(c, c.alignments[mode], frame, skeleton)
        figure.tight_layout()
        save_figure(folder / f"{stem}_{kind}.png", figure)


def draw_clock(path: str | os.PathLike, results: list, joint: str, frame: int, skeleton: Skeleton) -> None:
    """Draw one person by all systems: a joint over time about the middle of the hips, and the poses of one frame.

    Args:
        path: PNG.
        results: Comparisons (:class:`orplugins.motion.compare.Comparison`) with one reference, which is drawn black.
        joint: Name of a joint of `skeleton`.
        frame: The moment that is marked, and drawn in 3D; a frame of the reference's recording.
        skeleton: Joints of the compared clips.
    """
    colours = ("#1f4e9c", "#d1495b", "#2e8b57", "#e39b1f", "#7a4fa3", "#3aa6b9")
    figure = new_figure(12, 5.5)
    grid = figure.add_gridspec(3, 5)
    lines = [figure.add_subplot(grid[k, :3]) for k in range(3)]
    solid = figure.add_subplot(grid[:, 3:], projection="3d")
    index, first = skeleton.index(joint), results[0]
    frame = int(np.clip(frame, first.start, first.start + len(first.common) - 1))
    clips = [(first.names[0], first.alignments["root"].a, first.start, "black")]
    clips += [(c.names[1], c.alignments["root"].b, c.start, col) for c, col in zip(results, colours, strict=False)]
    for name, clip, start, colour in clips:
        time = (start + np.arange(len(clip))) / first.fps
        for axis, axes in enumerate(lines):
            axes.plot(time, clip[:, index, axis], color=colour, linewidth=2 if colour == "black" else 1.2, label=name)
        pose = clip[frame - start] if 0 <= frame - start < len(clip) else np.full_like(clip[0], np.nan)
        for one, other in skeleton.limbs:
            if np.isfinite(pose[[one, other]]).all():
                solid.plot(*pose[[one, other]].T, color=colour, linewidth=3 if colour == "black" else 1.2)
    for axis, axes in enumerate(lines):
        axes.set_ylabel(f"{'xyz'[axis]} (m)")
        axes.axvline(frame / first.fps, color="0.8", linewidth=1)
    lines[0].set_title(f"{joint.replace('_', ' ')} about the hips, room axes")
    lines[2].set_xlabel("time (s)")
    lines[0].legend(fontsize=7, ncol=3, loc="best")
    solid.set_title(f"frame {frame}")
    solid.set_aspect("equal")
    figure.tight_layout()
    save_figure(path, figure)


def _joint_errors(c, chosen, frame, skeleton):
    figure = new_figure(9, 4)
    axes = figure.subplots()
    axes.bar(skeleton.joints, np.nan_to_num(chosen.per_joint), color=A_COLOUR, label="mean")
    axes.plot(range(skeleton.num_joints), chosen.p95, "_", color=B_COLOUR, markersize=18, label="95th percentile")
    axes.set_ylabel("distance (mm)")
    axes.tick_params(axis="x", rotation=60)
    axes.legend()
    return figure


def _trajectories(c, chosen, frame, skeleton):
    figure = new_figure(11, 6)
    grid = figure.subplots(3, 3, sharex=True)
    time = (c.start + np.arange(len(chosen.a))) / c.fps
    for column, joint in enumerate(("left_wrist", "right_wrist", "left_ankle")):
        index = skeleton.index(joint)
        for axis in range(3):
            axes = grid[axis][column]
            axes.plot(time, chosen.a[:, index, axis], color=A_COLOUR, label=c.names[0])
            axes.plot(time, chosen.b[:, index, axis], color=B_COLOUR, label=c.names[1])
            axes.set_ylabel(f"{'xyz'[axis]} (m)")
        grid[0][column].set_title(joint)
        grid[2][column].set_xlabel("time (s)")
    grid[0][0].legend()
    return figure


def _angles(c, chosen, frame, skeleton):
    figure = new_figure(11, 6)
    time = (c.start + np.arange(len(chosen.a))) / c.fps
    for axes, name in zip(figure.subplots(2, 4, sharex=True).T.ravel(), c.angles, strict=True):
        axes.plot(time, c.angles[name].a, color=A_COLOUR, label=c.names[0])
        axes.plot(time, c.angles[name].b, color=B_COLOUR, label=c.names[1])
        axes.set_title(f"{name} (deg)")
    axes.legend()
    return figure


def _lag(c, chosen, frame, skeleton):
    figure = new_figure(7, 3.5)
    axes = figure.subplots()
    half = len(c.offset.scores) // 2
    axes.plot(np.arange(-half, half + 1), c.offset.scores, color=A_COLOUR)
    axes.axvline(c.offset.lag, color=B_COLOUR)
    axes.set_xlabel("lag (frames)")
    axes.set_ylabel("mean correlation")
    return figure


def _over_time(c, chosen, frame, skeleton):
    figure = new_figure(9, 3.5)
    axes = figure.subplots()
    distance = np.linalg.norm(chosen.a - chosen.b, axis=-1) * 1000
    count = c.common.sum(1)
    mean = np.where(count > 0, np.nansum(np.where(c.common, distance, 0), 1) / np.maximum(count, 1), np.nan)
    time = (c.start + np.arange(len(mean))) / c.fps
    axes.plot(time, mean, color=A_COLOUR)
    gone = count < skeleton.num_joints
    axes.fill_between(
        time, 0, 1, where=gone, transform=axes.get_xaxis_transform(), color="0.85", label="joints missing"
    )
    axes.set_xlabel("time (s)")
    axes.set_ylabel("mean distance (mm)")
    axes.legend()
    return figure


def _skeletons(c, chosen, frame, skeleton):
    frame = int(np.clip(frame - c.start, 0, len(chosen.a) - 1))
    full = np.flatnonzero(c.common.all(1))
    if len(full) and not c.common[frame].all():
        frame = int(full[np.abs(full - frame).argmin()])
    figure = new_figure(6, 6)
    axes = figure.add_subplot(projection="3d")
    for pose, style in ((chosen.a[frame], "-"), (chosen.b[frame], "--")):
        # Camera and Kinect axes have y vertical; drawn with it upwards.
        plot_pose(axes, pose[:, [0, 2, 1]], skeleton, style)
    axes.set_title(f"frame {c.start + frame}: {c.names[0]} solid, {c.names[1]} dashed")
    axes.set_aspect("equal")
    return figure
