"""The job: copies of recordings in which people are hidden, with a report and a list of frames to look at."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.geometry.rig_checks import at_size
from orplugins.io.calibration import read_rig
from orplugins.io.images import write_image
from orplugins.io.resume_log import Journal
from orplugins.io.run_folder import run_folder
from orplugins.privacy.copies import Copies
from orplugins.privacy.decide import FramePlan, plan
from orplugins.privacy.recordings import DEPTH, Recording, find_recordings, numbered, require_apart
from orplugins.privacy.report import SHEET, check_list, figures_of, write_check_list, write_report
from orplugins.privacy.search import COLOUR, Detectors, Searched, search
from orplugins.privacy.settings import HideSettings
from orplugins.structures import Rig
from orplugins.viz.check_sheet import Tile, check_sheet

JOURNAL = "finds.jsonl"  # removed at the end: it names the inputs
_ON_SHEET = 24

Report = Callable[[str], None]


@dataclass(frozen=True)
class Inputs:
    """What is hidden in.

    Attributes:
        recordings: Videos, pictures, folders of pictures, folders of depth images; of each camera one.
        depth: For each recording a folder of depth images on its pixels.
        rig: Calibration of the cameras in the order of the recordings, or with their names; the recordings are
            synchronous then.
    """

    recordings: Sequence[str | os.PathLike]
    depth: Sequence[str | os.PathLike] = ()
    rig: str | os.PathLike | None = None


@dataclass(frozen=True)
class HideResult:
    """What :func:`hide_recordings` wrote.

    Attributes:
        files: The copies.
        frames: Number of frames.
        blank: Number of frames that are written blank.
        doubtful: Number of frames to look at.
        problems: What went wrong, a line each.
    """

    files: tuple[Path, ...]
    frames: int
    blank: int
    doubtful: int
    problems: tuple[str, ...]


def hide_recordings(
    inputs: Inputs,
    out: str | os.PathLike,
    settings: HideSettings,
    detectors: Mapping[str, Callable[[], Detectors]],
    report: Report = lambda line: None,
) -> HideResult:
    """Write copies of recordings in which people are hidden.

    Recordings are read twice: first for what is in them, then to be copied. A killed job goes on from what it had found
    when it is called again with the same inputs and settings. A frame that cannot be read or searched is written blank.

    Args:
        inputs: See :class:`Inputs`.
        out: A folder that is new or empty. Nothing is written anywhere else.
        settings: See :class:`HideSettings`.
        detectors: What loads the detectors of each kind of picture ("colour", "depth"); only those that are needed are
            loaded.
        report: Called with a line for each problem.

    Returns:
        What was written.

    Raises:
        FileNotFoundError: An input is missing.
        OSError: `out` cannot be written to.
        ValueError: An input or the rig does not fit, or `out` holds something.
    """
    out = Path(out)
    recordings = find_recordings(inputs.recordings, inputs.depth, settings.depth_unit_mm)
    require_apart([*inputs.recordings, *inputs.depth], out)
    rig = _rig(inputs.rig, recordings)
    if settings.rename:
        recordings = numbered(recordings)
    _require_new(out)
    problems: list[str] = []

    def say(line: str) -> None:
        problems.append(line)
        report(line)

    with run_folder(out):
        loaded = _loaded(recordings, settings, detectors)
        searched = _search(recordings, loaded, out, settings, inputs)
        notes = [*(rig.notes if rig else ()), *_uneven(searched, rig)]
        passes = {kind: each.passes for kind, each in loaded.items()}
        plans = plan(recordings, searched, passes, settings, _cameras(rig, recordings, searched))
        rows = check_list(recordings, plans, settings.check)
        write_check_list(out, rows)
        files = _copy(recordings, plans, rows, settings, out, say)
        figures = [figures_of(each, frames, settings) for each, frames in zip(recordings, plans, strict=True)]
        write_report(out, settings, {k: d.names for k, d in loaded.items()}, figures, rows, problems, notes)
        (out / JOURNAL).unlink()
    frames = sum(map(len, plans))
    return HideResult(tuple(files), frames, sum(each["written blank"] for each in figures), len(rows), tuple(problems))


def _require_new(out: Path) -> None:
    """Refuse a folder with something in it, unless it is what a killed job left: old copies could show somebody."""
    if out.is_dir():
        names = sorted(path.name for path in out.iterdir() if path.name != ".running")
        if names and JOURNAL not in names:
            raise ValueError(f"{out}: holds {', '.join(names[:3])}, expected a new or empty folder")


def _rig(path: str | os.PathLike | None, recordings: Sequence[Recording]) -> Rig | None:
    """The cameras in the order of the recordings."""
    if path is None:
        return None
    rig = read_rig(path)
    if len(rig.cameras) != len(recordings):
        raise ValueError(f"{path}: {len(rig.cameras)} cameras, expected {len(recordings)}, one a recording")
    counts = {len(each.paths) for each in recordings if each.fps is None}
    if len(counts) > 1:
        raise ValueError(f"{path}: the recordings have {sorted(counts)} frames, expected as many of each camera")
    names = [each.name.rpartition("/")[2] for each in recordings]
    if sorted(names) == sorted(rig.names):
        rig = Rig([rig.cameras[rig.names.index(name)] for name in names], names, rig.up, rig.notes)
    for camera, recording in zip(rig.cameras, recordings, strict=True):
        _at(camera, recording, recording.first_size())
    return rig


def _at(camera: Camera, recording: Recording, size: tuple[int, int] | None) -> Camera:
    """A camera at the size of a recording's pictures."""
    try:
        return at_size(camera, size) if size else camera
    except ValueError as error:
        raise ValueError(f"{recording.name}: {error}") from None


def _cameras(
    rig: Rig | None, recordings: Sequence[Recording], searched: Sequence[Sequence[Searched]]
) -> list[Camera] | None:
    """The cameras at the sizes of the pictures."""
    if rig is None:
        return None
    out = []
    for camera, recording, frames in zip(rig.cameras, recordings, searched, strict=True):
        sizes = {frame.size for frame in frames if frame.size is not None}
        if len(sizes) > 1:
            raise ValueError(f"{recording.name}: pictures of {len(sizes)} sizes, expected one with a rig")
        out.append(_at(camera, recording, sizes.pop() if sizes else None))
    return out


def _uneven(searched: Sequence[Sequence[Searched]], rig: Rig | None) -> list[str]:
    counts = sorted(set(map(len, searched)))
    if rig is None or len(counts) == 1:
        return []
    return [f"the recordings have {counts} frames: people are carried over to other cameras up to {counts[0]} only"]


def _loaded(
    recordings: Sequence[Recording], settings: HideSettings, detectors: Mapping[str, Callable[[], Detectors]]
) -> dict[str, Detectors]:
    kinds = {DEPTH if each.kind == DEPTH else COLOUR for each in recordings}
    kinds |= {DEPTH for each in recordings if each.depth is not None}
    return {kind: detectors[kind]() for kind in sorted(kinds)} if settings.needs_people else {}


def _search(
    recordings: Sequence[Recording], loaded: dict[str, Detectors], out: Path, settings: HideSettings, inputs: Inputs
) -> list[list[Searched]]:
    from tqdm import tqdm

    record = {"settings": settings.record(), "networks": {k: [d.passes, *d.names] for k, d in loaded.items()}}
    stamps = [[each.name, each.signature(), each.depth and each.depth.signature()] for each in recordings]
    journal = Journal(out / JOURNAL, record, [stamps, str(inputs.rig)])
    try:
        with tqdm(unit="frame", desc="search", disable=None) as bar:
            return [search(each, loaded, journal, f"{k}", bar.update) for k, each in enumerate(recordings)]
    finally:
        journal.close()


def _copy(
    recordings: Sequence[Recording],
    plans: Sequence[Sequence[FramePlan]],
    rows: Sequence[dict],
    settings: HideSettings,
    out: Path,
    say: Report,
) -> list[Path]:
    """Write all copies, and the sheet of the most doubtful frames as they are after hiding."""
    wanted = {(row["recording"], row["frame"]): row for row in rows[:_ON_SHEET]}
    tiles: dict[tuple[int, int], Tile] = {}
    files = []
    for k, (recording, frames) in enumerate(zip(recordings, plans, strict=True)):

        def keep(t: int, picture: np.ndarray, k: int = k, frames: Sequence[FramePlan] = frames) -> None:
            row, size = wanted.get((k, t)), frames[t].size if t < len(frames) else None
            if row is not None and size is not None:
                places = np.array(row["places"]).reshape(-1, 4) * picture.shape[1] / size[0]
                tiles[k, t] = Tile(picture.copy(), f"{row['file']}  {row['doubt']:.2f}", places)

        files += Copies(recording, frames, settings, out, say, keep).write()
        if recording.depth is not None:
            files += Copies(recording.depth, frames, settings, out, say).write()
    if tiles:
        write_image(out / SHEET, check_sheet([tiles[key] for key in wanted if key in tiles]))
    return files
