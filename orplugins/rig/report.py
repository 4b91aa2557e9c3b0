"""What a calibration from people says of itself: text, numbers, pictures."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

from orplugins.io.atomic import atomic_write, write_json
from orplugins.rig.calibrate import Calibration
from orplugins.rig.update import Update
from orplugins.rig.verdict import Verdict
from orplugins.viz.rig_figures import draw_epipolar_lines, draw_errors, draw_room

_PEOPLE = 4  # of an epipolar picture


def text(found: Calibration, verdict: Verdict) -> str:
    """The calibration in words, one line a camera."""
    lines = []
    for v, (name, camera) in enumerate(zip(found.names, found.cameras, strict=True)):
        x, y, z = camera.pose[:3, 3]
        sure = (
            f"+- {found.spread.turn[v]:.2f} degrees, {100 * found.spread.place[v]:.1f} cm"
            if v in _moving(found)
            else "the reference"
        )
        clock = f", clock {found.offsets[v]:+.2f} +- {found.spread.offset[v]:.2f} frames" if found.video and v else ""
        lens = (
            f", focal length {camera.fx:.0f} px +- {100 * found.spread.zoom[v]:.1f} %"
            if found.spread.zoom[v] > 0
            else ""
        )
        lines.append(
            f"{name}: at ({x:.2f}, {y:.2f}, {z:.2f}) m, {sure}{lens}{clock}; error {verdict.residual[v]:.1f} px"
        )
    lines.append(f"scale: {found.scale.source}, +- {100 * found.scale.spread:.1f} %")
    lines.append(
        f"vertical: {found.floor.source}, +- {found.floor.up_degrees:.1f} degrees; floor +- "
        f"{100 * found.floor.height_m:.0f} cm"
    )
    if not found.video:
        lines.append("clocks: the frames are no video, so nothing is said of clocks")
    lines.append(
        f"people: {len(found.points)} used; {100 * verdict.matched:.0f} % of those whom two cameras could see agree, "
        f"{100 * verdict.chance:.0f} % by chance; halves of the recording differ by "
        f"{verdict.halves_degrees:.2f} degrees, {100 * verdict.halves_m:.1f} cm"
    )
    lines += [f"note: {remark}" for remark in verdict.remarks]
    if verdict.trusted:
        lines.append("verdict: trust it")
    else:
        lines += ["verdict: do not trust it", *(f"  {problem}" for problem in verdict.problems)]
    return "\n".join(lines)


def numbers(found: Calibration, verdict: Verdict) -> dict:
    """The same as JSON values."""
    return {
        "trusted": verdict.trusted,
        "problems": verdict.problems,
        "remarks": verdict.remarks,
        "cameras": [
            {
                "name": name,
                "place_m": camera.pose[:3, 3].tolist(),
                "place_spread_m": _number(found.spread.place[v]),
                "turn_spread_degrees": _number(found.spread.turn[v]),
                "focal_px": [camera.fx, camera.fy],
                "focal_spread": _number(found.spread.zoom[v]),
                "offset_frames": _number(found.offsets[v]) if found.video else None,
                "offset_spread_frames": _number(found.spread.offset[v]) if found.video else None,
                "error_px": _number(verdict.residual[v]),
            }
            for v, (name, camera) in enumerate(zip(found.names, found.cameras, strict=True))
        ],
        "scale": {"source": found.scale.source, "spread": found.scale.spread, "body_size": _number(found.scale.bodies)},
        "floor": {
            "source": found.floor.source,
            "up_spread_degrees": found.floor.up_degrees,
            "height_spread_m": found.floor.height_m,
        },
        "people": len(found.points),
        "matched": verdict.matched,
        "chance": verdict.chance,
        "halves": {"degrees": _number(verdict.halves_degrees), "metres": _number(verdict.halves_m)},
    }


def write_report(folder: Path, found: Calibration, verdict: Verdict) -> None:
    """Write report.json, report.txt and pictures.

    Args:
        folder: Made if it is missing.
        found: The calibration.
        verdict: What speaks for and against it.
    """
    write_json(folder / "report.json", numbers(found, verdict), indent=1)
    with atomic_write(folder / "report.txt") as file:
        file.write(text(found, verdict) + "\n")
    pixels = _pixels(found)
    residual = found.solved.linear.residual
    title = "trusted" if verdict.trusted else f"not trusted: {verdict.problems[0][:90]}"
    draw_room(folder / "room.png", found.cameras, found.names, found.points, found.spread.place.tolist(), title)
    draw_errors(folder / "errors.png", found.cameras, found.names, pixels, residual)
    for a, b in itertools.combinations(range(len(found.names)), 2):
        chosen = _people_of(found, a, b)
        if len(chosen):
            pair = [found.cameras[a], found.cameras[b]]
            names = [found.names[a], found.names[b]]
            draw_epipolar_lines(folder / f"epipolar_{a + 1}_{b + 1}.png", pair, names, pixels[chosen][:, [a, b]])


def _pixels(found: Calibration) -> np.ndarray:
    """(P, V, 17, 2) joints in the images, without lens distortion."""
    rays = found.solved.groups.gathered(found.views, "rays")
    focal = np.array([(c.fx, c.fy) for c in found.cameras])[:, None]
    return rays * focal + np.array([(c.cx, c.cy) for c in found.cameras])[:, None]


def _people_of(found: Calibration, a: int, b: int) -> np.ndarray:
    """Some people of two cameras, of different moments."""
    members = found.solved.groups.members
    both = np.flatnonzero((members[:, a] >= 0) & (members[:, b] >= 0))
    return both[np.linspace(0, len(both) - 1, min(_PEOPLE, len(both))).astype(int)] if len(both) else both


def _moving(found: Calibration) -> set[int]:
    return {v for v in range(len(found.names)) if found.solved.free[v, 3]}


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def moves_text(done: Update) -> str:
    """Which cameras moved, one line each, and what does not fit."""
    lines = []
    for v, name in enumerate(done.found.names):
        if name in done.moved:
            lines.append(f"{name}: moved by {done.degrees[v]:.1f} degrees and {100 * done.metres[v]:.1f} cm")
    lines = lines or ["no camera moved: the rig stays as it is"]
    return "\n".join([*lines, *([f"note: {done.remark}"] if done.remark else [])])
