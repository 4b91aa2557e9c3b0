"""The comparison of motions as a report: Markdown, CSV and JSON tables, and plots."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from orplugins.io.atomic import atomic_write, write_json
from orplugins.io.tables import markdown_table, markdown_text, write_csv
from orplugins.motion.compare import Comparison
from orplugins.skeletons import CORE_12
from orplugins.viz.motion_plots import PLOTS, draw_comparison


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
        "worst joint": CORE_12.joints[int(per_joint.argmax())],
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


def rows_table(rows: list[dict]) -> str:
    """Rows as a Markdown table.

    Args:
        rows: Column -> value; the first row's columns are taken.

    Returns:
        Lines joined by newlines.
    """
    keys = list(rows[0])
    return markdown_table(keys, [[_text(row.get(key, "")) for key in keys] for row in rows])


def without_nan(row: dict) -> dict:
    """Return a row with None in place of NaN, which JSON does not have."""
    return {key: None if isinstance(value, float) and not np.isfinite(value) else value for key, value in row.items()}


def write_report(out: str | os.PathLike, results: list[tuple[str, Comparison]], mode: str) -> Path:
    """Write ``report.csv`` and ``report.md``; `draw_report` draws what the latter shows.

    Args:
        out: Folder.
        results: (exercise, comparison).
        mode: Alignment of the headline numbers.

    Returns:
        The Markdown file.
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
        rows_table(table),
        "",
    ]
    for stem, (exercise, c) in zip(_stems(results), results, strict=True):
        text += _section(exercise, c, mode, [f"{stem}_{kind}.png" for kind in PLOTS])
    path = out / "report.md"
    with atomic_write(path) as file:
        file.write("\n".join(text) + "\n")
    return path


def write_rows(path: str | os.PathLike, results: list[tuple[str, Comparison]], mode: str) -> list[dict]:
    """Write the rows of the report's table as JSON and return them."""
    rows = [row(exercise, c, mode) for exercise, c in results]
    write_json(path, {"alignment": mode, "rows": [without_nan(r) for r in rows]}, indent=1)
    return rows


def draw_report(out: str | os.PathLike, results: list[tuple[str, Comparison]], mode: str, frame: int = 25) -> None:
    """Draw the plots of every pair below ``out``, both skeletons at ``frame``."""
    for stem, (_, c) in zip(_stems(results), results, strict=True):
        draw_comparison(Path(out), stem, c, mode, frame, CORE_12)


def _stems(results: list[tuple[str, Comparison]]) -> list[str]:
    return [
        f"{number:02d}_{_safe(exercise)}_{_safe(c.names[0])}_{_safe(c.names[1])}"
        for number, (exercise, c) in enumerate(results, start=1)
    ]


def _safe(name: str) -> str:
    return "".join(ch if ch.isalnum() else "-" for ch in name)


def _section(exercise: str, c: Comparison, mode: str, pictures: list[str]) -> list[str]:
    chosen = c.alignments[mode]
    a, b = map(markdown_text, c.names)
    text = [f"\n## {markdown_text(exercise)}: agreement of {b} with {a}\n"]
    text += [f"- note: {markdown_text(warning)}" for warning in c.warnings]
    text.append(
        f"- time offset: {b} frame t + ({c.offset.lag}) matches {a} frame t "
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
        for j, joint in enumerate(CORE_12.joints)
    ]
    text += [rows_table([{k: float(v) if k != "joint" else v for k, v in r.items()} for r in joints]), ""]
    angles = [
        {"angle": name, "RMSE deg": one.rmse, "Pearson": one.pearson, "ROM A deg": one.rom[0], "ROM B deg": one.rom[1]}
        for name, one in c.angles.items()
    ]
    text += [rows_table(angles), "", *(f"![{name}]({name})" for name in pictures)]
    return text
