"""Jobs on recordings of motion: compare systems with each other, and systems with the truth of a generated set."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orplugins.io.atomic import atomic_write, write_json
from orplugins.io.tables import markdown_text
from orplugins.motion.compare import MODES, Comparison, Recording, compare
from orplugins.motion.plausibility import check_comparison, check_recording
from orplugins.motion.recordings import read_recording
from orplugins.motion.report import draw_report, rows_table, without_nan, write_report, write_rows
from orplugins.skeletons import CORE_12
from orplugins.viz.motion_plots import draw_clock


@dataclass(frozen=True)
class CompareSettings:
    """What :func:`compare_recordings` works on.

    Attributes:
        exercises: (name, files) each; every pair of an exercise's files is compared, the first of a pair as reference.
        out: Folder.
        names: Of the systems, in the order of an exercise's files; None: by the files.
        align: Spatial alignment of the headline numbers.
        measured_only: Leave inferred joints out.
        max_lag: Largest time offset, frames.
        fps: Of files that hold no frame rate; None: 30.
        frame: Frame at which both skeletons are drawn.

    Raises:
        ValueError: An exercise of fewer than two files, another number of names than of files, an unknown alignment.
    """

    exercises: tuple[tuple[str, tuple[str, ...]], ...]
    out: Path
    names: tuple[str, ...] | None = None
    align: str = "similarity"
    measured_only: bool = False
    max_lag: int = 30
    fps: float | None = None
    frame: int = 25

    def __post_init__(self):
        if not self.exercises or any(len(files) < 2 for _, files in self.exercises):
            raise ValueError("two recordings or more are needed for each exercise")
        if self.names and any(len(self.names) != len(files) for _, files in self.exercises):
            raise ValueError(f"{len(self.names)} --names, expected one for each file of an exercise")
        if self.align not in MODES:
            raise ValueError(f"alignment is {self.align!r}, expected one of {', '.join(MODES)}")


@dataclass(frozen=True)
class ComparedRecordings:
    """What :func:`compare_recordings` found.

    Attributes:
        results: (exercise, comparison) of every pair.
        rows: The report's table.
        report: The Markdown file; None, and nothing written, where no pair could be compared.
        failed: (exercise, reason) of what could not be read or compared.
    """

    results: list[tuple[str, Comparison]]
    rows: list[dict]
    report: Path | None
    failed: list[tuple[str, str]]


def compare_recordings(settings: CompareSettings) -> ComparedRecordings:
    """Compare recordings of one motion by different systems: agreement, not accuracy.

    Writes ``report.csv``, ``report.md`` and ``report.json``, then plots. Recordings of other units, and pairs whose
    numbers would be meaningless (other clocks, exchanged sides), are among those that failed.
    """
    results, failed = [], []
    for exercise, files in settings.exercises:
        try:
            recordings = _read(files, settings.names, settings.fps)
            for recording in recordings:
                check_recording(recording)
        except (ValueError, OSError) as error:
            failed.append((exercise, str(error)))
            continue
        for a, b in itertools.combinations(recordings, 2):
            try:
                found = compare(a, b, settings.measured_only, settings.max_lag)
                check_comparison(a, b, found, settings.max_lag)
                results.append((exercise, found))
            except ValueError as error:
                failed.append((exercise, str(error)))
    if not results:
        return ComparedRecordings([], [], None, failed)
    path = write_report(settings.out, results, settings.align)
    rows = write_rows(settings.out / "report.json", results, settings.align)
    draw_report(settings.out, results, settings.align, settings.frame)
    return ComparedRecordings(results, rows, path, failed)


def _read(files: tuple[str, ...], names: tuple[str, ...] | None, fps: float | None) -> list[Recording]:
    recordings = [
        read_recording(file, name, fps) for file, name in zip(files, names or [None] * len(files), strict=True)
    ]
    if len({recording.name for recording in recordings}) < len(recordings):
        recordings = [read_recording(file, str(Path(file).with_suffix("")), fps) for file in files]
    return recordings


@dataclass(frozen=True)
class SetSettings:
    """What :func:`compare_captured` makes of recordings.

    Attributes:
        out: Folder.
        source: What the recordings are of, in the summary's words.
        record: Further entries of ``summary.json``.
        max_lag: Look for a time offset up to this many frames.
        report: Number of people with a full report, those that were seen best.
        frame: Frame at which skeletons are drawn.
        joint: Joint drawn over time.
    """

    out: Path
    source: str
    record: dict
    max_lag: int = 0
    report: int = 0
    frame: int = 25
    joint: str = "right_wrist"

    def __post_init__(self):
        if self.joint not in CORE_12.joints:
            raise ValueError(f"joint is {self.joint!r}, expected one of {', '.join(CORE_12.joints)}")


@dataclass(frozen=True)
class ComparedSet:
    """What :func:`compare_captured` found.

    Attributes:
        rows: One row a system.
        notes: Pairs that could not be compared, with the reason.
    """

    rows: list[dict]
    notes: list[str]


def compare_captured(captured: Iterable[tuple[str, list]], fps: float, settings: SetSettings) -> ComparedSet:
    """Compare what several systems recorded of people with the truth, on one clock.

    Writes ``summary.md``, ``summary.json`` and, on demand, the full report; then ``clock.png`` (the best-seen person by
    all systems) and the report's plots.

    Args:
        captured: (person, recordings) each; a recording has ``name``, ``xyz`` (F, J, 3) metres with NaN where missing,
            ``skeleton`` and ``root``. The first of a person is the truth.
        fps: Frames per second of all.
        settings: What is written, and where.

    Returns:
        The summary.

    Raises:
        ValueError: No system found anybody.
    """
    results, seen, notes = [], [], []
    for person, systems in captured:
        recordings = [_recording(system, fps) for system in systems]
        for system in recordings[1:]:
            try:
                results.append((person, compare(recordings[0], system, max_lag=settings.max_lag)))
            except ValueError as error:
                notes.append(f"{person}: {error}")
        seen.append((sum(int((one.state > 0).sum()) for one in recordings), person))
    if not results:
        raise ValueError(f"{settings.source}: no system found anybody" + "".join(f"; {note}" for note in notes[:1]))
    rows = summary(results)
    write_summary(settings.out, rows, settings)
    ranked = [person for _, person in sorted(seen, reverse=True)]
    chosen = [(person, c) for person, c in results if person in ranked[: settings.report]]
    if chosen:
        write_report(settings.out, chosen, "root")
    best = [c for person, c in results if person == ranked[0] and not c.names[1].endswith("seen joints")]
    draw_clock(settings.out / "clock.png", best, settings.joint, settings.frame, CORE_12)
    if chosen:
        draw_report(settings.out, chosen, "root", settings.frame)
    return ComparedSet(rows, notes)


def _recording(system, fps: float) -> Recording:
    state = np.where(np.isfinite(system.xyz).all(-1), 2, 0)
    time = np.arange(len(system.xyz)) / fps
    return Recording(system.name, system.xyz, state, time, fps, system.skeleton, system.root)


def write_summary(out: str | os.PathLike, rows: list[dict], settings: SetSettings) -> None:
    """Write ``summary.md`` and ``summary.json``."""
    text = [
        "# Systems on generated motion, against the truth\n",
        f"{markdown_text(settings.source)}\n",
        rows_table(rows),
    ]
    with atomic_write(Path(out) / "summary.md") as file:
        file.write("\n".join(text) + "\n")
    content = {**settings.record, "rows": [without_nan(row) for row in rows]}
    write_json(Path(out) / "summary.json", content, indent=1)


def summary(results: list[tuple[str, Comparison]]) -> list[dict]:
    """Return one row a system: means over people, weighted by their common frames; lengths in millimetres."""
    rows = []
    for name in dict.fromkeys(c.names[1] for _, c in results):
        mine = [c for _, c in results if c.names[1] == name]
        weight = np.array([c.common.any(1).sum() for c in mine], dtype=float)
        placed = not any("relative to the hips" in note for c in mine for note in c.warnings)
        present = [np.isfinite(c.alignments["none"].a).all(-1).sum() for c in mine]
        values = {
            "joints found %": [100 * c.common.sum() / max(n, 1) for c, n in zip(mine, present, strict=True)],
            "in the room mm": [c.alignments["none"].mpjpe if placed else np.nan for c in mine],
            "about the hips mm": [c.alignments["root"].mpjpe for c in mine],
            "P-MPJPE mm": [c.p_mpjpe for c in mine],
            "MPJVE mm/frame": [c.alignments["root"].velocity for c in mine],
            "angle RMSE deg": [_angle_error(c) for c in mine],
        }
        means = {key: _weighted_mean(value, weight) for key, value in values.items()}
        rows.append({"system": name, "people": len(mine), "frames": int(weight.sum()), **means})
    return rows


def _angle_error(c: Comparison) -> float:
    errors = [angle.rmse for angle in c.angles.values()]
    return float(np.nanmean(errors)) if np.isfinite(errors).any() else float("nan")


def _weighted_mean(values: list[float], weight: np.ndarray) -> float:
    numbers = np.array(values, dtype=float)
    finite = np.isfinite(numbers)
    return float(np.average(numbers[finite], weights=weight[finite])) if finite.any() else float("nan")
