"""What a job of hiding did, and which frames somebody has to look at: JSON, CSV, Markdown and a sheet of pictures."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from orplugins.io.atomic import atomic_write, write_json
from orplugins.io.tables import csv_cell, markdown_table, markdown_text
from orplugins.privacy.decide import FramePlan
from orplugins.privacy.recordings import Recording
from orplugins.privacy.search import frame_of
from orplugins.privacy.settings import EVERYTHING, HideSettings

NO_GUARANTEE = (
    "This is no guarantee that nobody can be recognised. Detectors miss people, and clothes, gait, tattoos, rooms and "
    "file names can tell who somebody is. Look at the frames of the list, then at all others, before sharing."
)
CHECK = ("check.csv", "check.json")
SHEET = "check.png"
REPORT = ("hide.json", "hide.md")


def check_list(recordings: Sequence[Recording], plans: Sequence[Sequence[FramePlan]], least: float) -> list[dict]:
    """Frames to be looked at, the most doubtful first; those that are blank as a whole are none.

    Args:
        recordings: The recordings.
        plans: The frames of each.
        least: Least doubt.

    Returns:
        Rows of `recording` (its number), `name`, `frame` (its number), `file`, `doubt`, `reasons` and `places`.
    """
    rows = [
        {
            "recording": k,
            "name": recording.name,
            "frame": t,
            "file": frame_of(recording, t),
            "doubt": frame.doubt.value,
            "reasons": list(frame.doubt.reasons),
            "places": np.round(frame.doubt.places, 1).tolist(),
        }
        for k, (recording, frames) in enumerate(zip(recordings, plans, strict=True))
        for t, frame in enumerate(frames)
        if frame.doubt.value >= least and frame.doubt.value > 0
    ]
    return sorted(rows, key=lambda row: (-row["doubt"], row["recording"], row["frame"]))


def write_check_list(out: Path, rows: Sequence[dict]) -> None:
    """Write the list as CSV and JSON.

    Args:
        out: The folder.
        rows: Of `check_list`.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["rank", "file", "frame", "doubt", "reasons"])
    for rank, row in enumerate(rows, start=1):
        cells = [rank, row["file"], row["frame"], f"{row['doubt']:.3f}", "; ".join(row["reasons"])]
        table.writerow([csv_cell(cell) for cell in cells])
    with atomic_write(out / CHECK[0]) as file:
        file.write(text.getvalue())
    write_json(out / CHECK[1], {"frames": list(rows), "note": NO_GUARANTEE}, indent=1)


def figures_of(recording: Recording, frames: Sequence[FramePlan], settings: HideSettings) -> dict:
    """Figures about one recording.

    Args:
        recording: The recording.
        frames: What became of each frame.
        settings: What the user chose.

    Returns:
        JSON values.
    """
    good = [frame for frame in frames if frame.size is not None and not frame.problem]
    whole = settings.what == EVERYTHING
    shares = [1.0 if whole else float(frame.mask().mean()) for frame in good]
    why = Counter[str]()
    for frame in good:
        why.update(frame.known)
    return {
        "name": recording.name,
        "kind": recording.kind,
        "frames": len(frames),
        "written blank": len(frames) - len(good),
        "frames in which nobody was found": sum(not frame.known for frame in good),
        "hidden places, by how they are known": dict(sorted(why.items())),
        "mean share of hidden pixels": round(float(np.mean(shares)), 4) if shares else None,
    }


def write_report(
    out: Path,
    settings: HideSettings,
    networks: dict[str, Sequence[str]],
    figures: Sequence[dict],
    rows: Sequence[dict],
    problems: Sequence[str],
    notes: Sequence[str],
) -> None:
    """Write the report as JSON and Markdown.

    Args:
        out: The folder.
        settings: What the user chose.
        networks: Names of the networks by the kind of picture.
        figures: Of `figures_of`, for each recording.
        rows: Of `check_list`.
        problems: What went wrong, a line each.
        notes: What else has to be known.
    """
    content = {
        "note": NO_GUARANTEE,
        "settings": settings.record(),
        "networks": {kind: list(names) for kind, names in networks.items()},
        "recordings": list(figures),
        "frames to look at": len(rows),
        "problems": list(problems),
        "notes": list(notes),
    }
    write_json(out / REPORT[0], content, indent=1)
    names = ["name", "frames", "written blank", "frames in which nobody was found", "mean share of hidden pixels"]
    cells = [[str(each[name]) for name in names] for each in figures]
    known = Counter[str]()
    for each in figures:
        known.update(each["hidden places, by how they are known"])
    lines = [
        f"# Hidden: {settings.what}",
        "",
        f"**{NO_GUARANTEE}**",
        "",
        markdown_table(names, cells),
        "",
        f"{len(rows)} frames to look at, the most doubtful first: `{CHECK[0]}`; the first of them: `{SHEET}`.",
        "",
        "Hidden places: " + (", ".join(f"{count} {why}" for why, count in sorted(known.items())) or "none") + ".",
        "",
        "Settings: " + ", ".join(f"{name} {value}" for name, value in settings.record().items()) + ".",
        "",
        *(f"- problem: {markdown_text(line)}" for line in problems),
        *(f"- {markdown_text(line)}" for line in notes),
    ]
    with atomic_write(out / REPORT[1]) as file:
        file.write("\n".join(lines).rstrip() + "\n")
