"""The comparison of motions as a report: Markdown and CSV tables, and plots."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import numpy as np

from orplugins.io.atomic import atomic_write
from orplugins.motion.compare import Comparison
from orplugins.motion.measures import CORE_12, CORE_ANGLES, CORE_BONES
from orplugins.skeletons import Skeleton
from orplugins.viz.figures import _figure, _plot, save_figure

_TRUNK = tuple(
    (CORE_12.index(a), CORE_12.index(b))
    for a, b in (
        ("left_shoulder", "right_shoulder"),
        ("left_hip", "right_hip"),
        ("left_shoulder", "left_hip"),
        ("right_shoulder", "right_hip"),
    )
)
CORE_SKELETON = Skeleton("core_12", CORE_12, CORE_BONES + _TRUNK)
A_COLOUR, B_COLOUR = "#1f4e9c", "#d1495b"


def row(exercise: str, c: Comparison, mode: str) -> dict[str, object]:
    """One line of the report's table.

    Args:
        exercise: What was recorded.
        c: The comparison.
        mode: Alignment of the headline numbers.

    Returns:
        Column -> value.
    """
    chosen, a, b = c.alignments[mode], *c.sequences
    angles = [angle.rmse for angle in c.angles.values()]
    roms = [angle.rom[1] - angle.rom[0] for angle in c.angles.values()]
    per_joint = np.where(np.isfinite(chosen.per_joint), chosen.per_joint, -1)
    return {
        "exercise": exercise,
        "A": c.names[0],
        "B": c.names[1],
        "frames": int(c.common.any(1).sum()),
        "lag": c.offset.lag,
        "correlation": c.offset.correlation,
        "scale": c.alignments["similarity"].transform.scale,
        "MPJPE mm": chosen.mpjpe,
        "rigid MPJPE mm": c.alignments["rigid"].mpjpe,
        "P-MPJPE mm": c.p_mpjpe,
        "N-MPJPE mm": c.n_mpjpe,
        "MPJVE mm/frame": chosen.velocity,
        "MPJVE mm/s": chosen.velocity * c.fps,
        "missing A %": 100 * a.missing,
        "missing B %": 100 * b.missing,
        "jumps A": a.jumps,
        "jumps B": b.jumps,
        "spikes A": a.spikes,
        "spikes B": b.spikes,
        "jitter A m/s2": a.jitter,
        "jitter B m/s2": b.jitter,
        "worst joint": CORE_12[int(per_joint.argmax())],
        "angle RMSE deg": float(np.nanmean(angles)) if np.isfinite(angles).any() else float("nan"),
        "ROM difference deg": float(np.nanmean(roms)) if np.isfinite(roms).any() else float("nan"),
    }


def mean_rows(rows: list[dict]) -> list[dict]:
    """A mean line for every pair of systems that occurs in several exercises.

    Args:
        rows: Lines of the table, from `row`.

    Returns:
        Further lines.
    """
    out = []
    for pair in dict.fromkeys((r["A"], r["B"]) for r in rows):
        mine = [r for r in rows if (r["A"], r["B"]) == pair]
        if len(mine) > 1:
            mean = {"exercise": "mean", "A": pair[0], "B": pair[1]}
            for key in mine[0]:
                if key not in mean:
                    values = [r[key] for r in mine]
                    mean[key] = float(np.nanmean(values)) if isinstance(values[0], (int, float)) else ""
            out.append(mean)
    return out


def _text(value: object) -> str:
    if isinstance(value, float):
        return "-" if not np.isfinite(value) else f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
    return str(value)


def markdown_table(rows: list[dict]) -> str:
    """Rows as a Markdown table.

    Args:
        rows: Column -> value; the first row's columns are taken.

    Returns:
        Lines joined by newlines.
    """
    keys = list(rows[0])
    lines = ["| " + " | ".join(keys) + " |", "|" + "---|" * len(keys)]
    return "\n".join(lines + ["| " + " | ".join(_text(r.get(k, "")) for k in keys) + " |" for r in rows])


def write_csv(path: str | os.PathLike, rows: list[dict]) -> None:
    """Write rows as CSV, in full precision.

    Args:
        path: The file.
        rows: Column -> value.
    """
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with atomic_write(path) as file:
        file.write(buffer.getvalue())


def write_report(out: str | os.PathLike, results: list[tuple[str, Comparison]], mode: str, frame: int = 25) -> Path:
    """Write ``report.md``, ``report.csv`` and the plots of every pair.

    Args:
        out: Folder.
        results: (exercise, comparison).
        mode: Alignment of the headline numbers.
        frame: Frame at which both skeletons are drawn.

    Returns:
        Path of ``report.md``.
    """
    out = Path(out)
    rows = [row(exercise, c, mode) for exercise, c in results]
    table = rows + mean_rows(rows)
    write_csv(out / "report.csv", table)
    text = [
        "# Agreement of recorded motions\n",
        "A is a reference, **not the truth**: the numbers say how well B agrees with A. Joints: the twelve that all "
        "systems have (shoulders, elbows, wrists, hips, knees, ankles). Headline alignment: "
        f"{mode}, one transform a clip. A scale is fitted only under `similarity`; the rigid result stands beside it, "
        "because a lifted motion has no scale of its own.\n",
        markdown_table(table),
        "",
    ]
    for number, (exercise, c) in enumerate(results, start=1):
        stem = f"{number:02d}_{_safe(exercise)}_{_safe(c.names[0])}_{_safe(c.names[1])}"
        text += _section(exercise, c, mode, plot_all(out, stem, c, mode, frame))
    path = out / "report.md"
    with atomic_write(path) as file:
        file.write("\n".join(text) + "\n")
    return path


def draw_clock(path: str | os.PathLike, results: list[Comparison], joint: str, frame: int) -> None:
    """Draw one person by all systems: a joint over time about the middle of the hips, and the poses of one frame.

    Args:
        path: The file.
        results: Comparisons with one reference, which is drawn black.
        joint: Its name.
        frame: Number of the frame whose poses are drawn.
    """
    colours = ("#1f4e9c", "#d1495b", "#2e8b57", "#e39b1f", "#7a4fa3", "#3aa6b9")
    figure = _figure(12, 5.5)
    grid = figure.add_gridspec(3, 5)
    lines = [figure.add_subplot(grid[k, :3]) for k in range(3)]
    solid = figure.add_subplot(grid[:, 3:], projection="3d")
    index, start = CORE_12.index(joint), results[0].alignments["root"].a
    frame = int(np.clip(frame, 0, len(start) - 1))
    clips = [(results[0].names[0], start, "black")]
    clips += [(c.names[1], c.alignments["root"].b, colour) for c, colour in zip(results, colours, strict=False)]
    for name, clip, colour in clips:
        time = np.arange(len(clip)) / results[0].fps
        for axis, axes in enumerate(lines):
            axes.plot(time, clip[:, index, axis], color=colour, linewidth=2 if colour == "black" else 1.2, label=name)
        for a, b in CORE_SKELETON.limbs:
            if np.isfinite(clip[frame][[a, b]]).all():
                solid.plot(*clip[frame][[a, b]].T, color=colour, linewidth=3 if colour == "black" else 1.2)
    for axis, axes in enumerate(lines):
        axes.set_ylabel(f"{'xyz'[axis]} (m)")
        axes.axvline(frame / results[0].fps, color="0.8", linewidth=1)
    lines[0].set_title(f"{joint.replace('_', ' ')} about the hips, room axes")
    lines[2].set_xlabel("time (s)")
    lines[0].legend(fontsize=7, ncol=3, loc="best")
    solid.set_title(f"frame {frame}")
    solid.set_aspect("equal")
    figure.tight_layout()
    save_figure(path, figure)


def _safe(name: str) -> str:
    return "".join(ch if ch.isalnum() else "-" for ch in name)


def _section(exercise: str, c: Comparison, mode: str, pictures: list[str]) -> list[str]:
    chosen = c.alignments[mode]
    text = [f"\n## {exercise}: agreement of {c.names[1]} with {c.names[0]}\n"]
    text += [f"- note: {warning}" for warning in c.warnings]
    text.append(
        f"- time offset: {c.names[1]} frame t + ({c.offset.lag}) matches {c.names[0]} frame t "
        f"(with a parabola {c.offset.fractional:.2f}; correlation {_text(c.offset.correlation)})"
    )
    text.append(
        "- MPJPE by alignment (mm): "
        + ", ".join(f"{m} {_text(one.mpjpe)}" for m, one in c.alignments.items())
        + f"; P-MPJPE {_text(c.p_mpjpe)} over {c.p_mpjpe_frames} frames\n"
    )
    joints = [
        {
            "joint": joint,
            "mean mm": chosen.per_joint[j],
            "median mm": chosen.median[j],
            "95 % mm": chosen.p95[j],
            "offset x mm": chosen.offset[j, 0],
            "offset y mm": chosen.offset[j, 1],
            "offset z mm": chosen.offset[j, 2],
            "missing A %": 100 * c.sequences[0].missing_per_joint[j],
            "missing B %": 100 * c.sequences[1].missing_per_joint[j],
        }
        for j, joint in enumerate(CORE_12)
    ]
    text += [markdown_table([{k: float(v) if k != "joint" else v for k, v in r.items()} for r in joints]), ""]
    angles = [
        {"angle": name, "RMSE deg": a.rmse, "Pearson": a.pearson, "ROM A deg": a.rom[0], "ROM B deg": a.rom[1]}
        for name, a in c.angles.items()
    ]
    text += [markdown_table(angles), "", *(f"![{name}]({name})" for name in pictures)]
    return text


def plot_all(out: Path, stem: str, c: Comparison, mode: str, frame: int) -> list[str]:
    """Draw the six plots of one comparison.

    Args:
        out: Folder.
        stem: First part of the file names.
        c: The comparison.
        mode: Alignment.
        frame: Frame at which both skeletons are drawn.

    Returns:
        The file names.
    """
    drawings = {
        "joints": _joint_errors,
        "trajectories": _trajectories,
        "angles": _angles,
        "lag": _lag,
        "time": _over_time,
        "skeletons": _skeletons,
    }
    names = []
    for kind, draw in drawings.items():
        figure = draw(c, c.alignments[mode], frame)
        figure.tight_layout()
        names.append(f"{stem}_{kind}.png")
        save_figure(out / names[-1], figure)
    return names


def _joint_errors(c, chosen, frame):
    figure = _figure(9, 4)
    axes = figure.subplots()
    axes.bar(CORE_12, np.nan_to_num(chosen.per_joint), color=A_COLOUR, label="mean")
    axes.plot(range(12), chosen.p95, "_", color=B_COLOUR, markersize=18, label="95th percentile")
    axes.set_ylabel("distance (mm)")
    axes.tick_params(axis="x", rotation=60)
    axes.legend()
    return figure


def _trajectories(c, chosen, frame):
    figure = _figure(11, 6)
    grid = figure.subplots(3, 3, sharex=True)
    time = np.arange(len(chosen.a)) / c.fps
    for column, joint in enumerate(("left_wrist", "right_wrist", "left_ankle")):
        index = CORE_12.index(joint)
        for axis in range(3):
            axes = grid[axis][column]
            axes.plot(time, chosen.a[:, index, axis], color=A_COLOUR, label=c.names[0])
            axes.plot(time, chosen.b[:, index, axis], color=B_COLOUR, label=c.names[1])
            axes.set_ylabel(f"{'xyz'[axis]} (m)")
        grid[0][column].set_title(joint)
        grid[2][column].set_xlabel("time (s)")
    grid[0][0].legend()
    return figure


def _angles(c, chosen, frame):
    figure = _figure(11, 6)
    time = np.arange(len(chosen.a)) / c.fps
    for axes, name in zip(figure.subplots(2, 4, sharex=True).T.ravel(), CORE_ANGLES, strict=True):
        axes.plot(time, c.angles[name].a, color=A_COLOUR, label=c.names[0])
        axes.plot(time, c.angles[name].b, color=B_COLOUR, label=c.names[1])
        axes.set_title(f"{name} (deg)")
    axes.legend()
    return figure


def _lag(c, chosen, frame):
    figure = _figure(7, 3.5)
    axes = figure.subplots()
    half = len(c.offset.scores) // 2
    axes.plot(np.arange(-half, half + 1), c.offset.scores, color=A_COLOUR)
    axes.axvline(c.offset.lag, color=B_COLOUR)
    axes.set_xlabel("lag (frames)")
    axes.set_ylabel("mean correlation")
    return figure


def _over_time(c, chosen, frame):
    figure = _figure(9, 3.5)
    axes = figure.subplots()
    distance = np.linalg.norm(chosen.a - chosen.b, axis=-1) * 1000
    count = c.common.sum(1)
    mean = np.where(count > 0, np.nansum(np.where(c.common, distance, 0), 1) / np.maximum(count, 1), np.nan)
    time = np.arange(len(mean)) / c.fps
    axes.plot(time, mean, color=A_COLOUR)
    gone = count < 12
    axes.fill_between(
        time, 0, 1, where=gone, transform=axes.get_xaxis_transform(), color="0.85", label="joints missing"
    )
    axes.set_xlabel("time (s)")
    axes.set_ylabel("mean distance (mm)")
    axes.legend()
    return figure


def _skeletons(c, chosen, frame):
    frame = int(np.clip(frame, 0, len(chosen.a) - 1))
    full = np.flatnonzero(c.common.all(1))
    if len(full) and not c.common[frame].all():
        frame = int(full[np.abs(full - frame).argmin()])
    figure = _figure(6, 6)
    axes = figure.add_subplot(projection="3d")
    for pose, style in ((chosen.a[frame], "-"), (chosen.b[frame], "--")):
        # Camera and Kinect axes have y vertical; drawn with it upwards.
        _plot(axes, pose[:, [0, 2, 1]], CORE_SKELETON, style)
    axes.set_title(f"frame {frame}: {c.names[0]} solid, {c.names[1]} dashed")
    axes.set_aspect("equal")
    return figure
