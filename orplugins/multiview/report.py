"""Scores of reconstructed people as text."""

from __future__ import annotations

import numpy as np

METHODS = {
    "geometry": "triangulation only: uses the calibration and nothing else",
    "hips": "the same, hips moved to MVOR's convention (two numbers from the other days' annotations)",
    "map": "a body prior from the other days' annotations as well: every joint is placed",
}
# Mean error in cm by supporting views, Srivastav et al. 2018.
PUBLISHED = {"1": 26.9, "2": 18.3, "3": 9.9}
_NOTE = """  * mv3dreg's table: cm, identities known beforehand, people without a supporting view left out, no false
    people; pub is counted as there (about the own middle of the shoulders, centre of the hips), but over
    the people found here. abs: in camera 1, hips apart."""
_GROUPS = ("hip", "elbow", "wrist", "mean")


def scores_text(name: str, method: str, table: dict, published: bool = True) -> str:
    """Return the table of one detection file.

    Args:
        name: Of the file.
        method: Key of :data:`METHODS`.
        table: What :func:`orplugins.multiview.mvor.score` returns.
        published: With MVOR's published figures beside it, and the note on them; they are of other images than those
            of another data set.
    """
    lines = [
        f"{name}, method {method} ({METHODS[method]})",
        f"  recall {table['recall_percent']:.1f} % of {table['annotated_people']} people; false people a frame "
        f"{table['false_per_frame']:.2f}, not explained by a person without a 3D label "
        f"{table['unexplained_false_per_frame']:.2f}; PCK3D@15cm, missed counted as wrong: "
        f"{table['pck3d_15cm_percent']:.0f} % (visible joints {table['pck3d_15cm_f2_percent']:.0f} %)",
        f"  {'views':<7}{'people':>7}  {'measure':<14}{'shoulder':>9}{'hip':>8}{'elbow':>8}{'wrist':>8}{'mean':>8}"
        f"{'joints %':>10}" + (f"{'published*':>12}" if published else ""),
    ]
    for views, row in table["by_views"].items():
        for key, text in (("abs_cm", "abs"), ("abs_f2_cm", "abs, visible"), ("pub_cm", "pub")):
            values = "".join(f"{_number(row[key][g]):8.1f}" for g in _GROUPS)
            theirs = PUBLISHED.get(views.rstrip("+"), "") if key == "pub_cm" else ""
            lines.append(
                f"  {views:<7}{row['people']:>7}  {text:<14}{_number(row[key]['shoulder']):>9.1f}{values}"
                f"{100 * row['joints_found']:>10.0f}" + (f"{theirs:>12}" if published else "")
            )
    if published:
        lines.append(_NOTE)
    return "\n".join(lines)


def published_text(tables: dict[str, dict]) -> str:
    """Return the comparison on the published method's own samples.

    Args:
        tables: {method: what :func:`orplugins.multiview.mvor.mv3dreg_table` returns}.
    """
    lines = [
        "The published method's own samples, same 2D, known identities; root-relative, hip centre, cm (pub):",
        f"{'method':<10}{'views':>6}{'people':>8}{'shoulder':>10}{'hip':>8}{'elbow':>8}{'wrist':>8}{'mean':>8}"
        f"{'joints %':>10}{'published':>11}",
    ]
    for method, table in tables.items():
        for views, row in table.items():
            values = "".join(f"{_number(row['cm'][g]):8.1f}" for g in _GROUPS)
            lines.append(
                f"{method:<10}{views:>6}{row['people']:>8}{_number(row['cm']['shoulder']):>10.1f}{values}"
                f"{100 * row['joints_found']:>10.0f}{_number(row['published_cm']['mean']):>11.1f}"
            )
    return "\n".join(lines)


def without_nan(value):
    """Return nested dicts with None in place of NaN and infinity, which JSON does not have."""
    if isinstance(value, dict):
        return {key: without_nan(entry) for key, entry in value.items()}
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
