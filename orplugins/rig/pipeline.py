"""The job of `orplugins rig calibrate`: from files of 2D people to a calibration file and a report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orplugins.io.calibration import read_rig
from orplugins.io.calibration.convert import check_target, write_calibration
from orplugins.rig.calibrate import calibrate
from orplugins.rig.depths import DepthFolders
from orplugins.rig.inputs import Recording, read_recording
from orplugins.rig.report import moves_text, text, write_report
from orplugins.rig.settings import Knowledge
from orplugins.rig.update import update
from orplugins.rig.verdict import judge
from orplugins.structures import Rig

UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class CalibrateSettings:
    """What :func:`calibrate_rig` works on.

    Attributes:
        views: 2D poses, a file or folder a camera, or one file with the images of all cameras.
        out: The calibration to write, a file or a folder as the form has it.
        form: See `orplugins.io.calibration.write.FORMS`.
        report: Folder for numbers and pictures; None: none.
        intrinsics: Calibration files: one with all cameras, or one a camera; none: focal lengths are found.
        size: (width, height) of the images, where no file says it.
        annotations: COCO file that names the images of result lists.
        folders: One file: parts of the images' paths that tell the cameras apart.
        stature_m: People's mean height, metres.
        distance: (name, name, metres): the known distance of two cameras; the number may be its text.
        depth: Folders of depth images (16-bit PNG), one a camera or one for all, for the metre.
        depth_unit_mm: Millimetres that a count of theirs stands for.
        synchronous: The cameras' clocks agree.
        most_lag: Largest offset that is looked for, frames.
        update: A calibration of which a camera moved: the others keep their poses, and its intrinsics are used.
        moved: Names of the cameras that moved, where that is known.
        keep: Write what is not to be trusted, too.
        seed: Of the random samples.
    """

    views: tuple[str, ...]
    out: Path
    form: str = "json"
    report: Path | None = None
    intrinsics: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    annotations: str | None = None
    folders: tuple[str, ...] = ()
    stature_m: float | None = None
    distance: tuple[str, str, float | str] | None = None
    depth: tuple[str, ...] = ()
    depth_unit_mm: float = 1.0
    synchronous: bool = False
    most_lag: int = 60
    update: str | None = None
    moved: tuple[str, ...] = ()
    keep: bool = False
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Outcome:
    """What was done.

    Attributes:
        text: For the user.
        warnings: What was taken for granted.
        failed: Files that could not be read.
        written: Whether the calibration was written.
        trusted: Whether it is to be trusted.
    """

    text: str
    warnings: list[str]
    failed: list[str]
    written: bool
    trusted: bool


def calibrate_rig(settings: CalibrateSettings, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Calibrate cameras from the people in their images, write the calibration and a report.

    Args:
        settings: What to work on.
        say: Told what is going on.

    Returns:
        What was done. Nothing is written where the calibration is not to be trusted, unless `keep` asks for it; the
        report always is.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: One line: what cannot be read, or why there is no calibration.
    """
    _check(settings)
    say("reading")
    rig = read_rig(settings.update) if settings.update else None
    files = (settings.update,) if settings.update else settings.intrinsics
    read = read_recording(settings.views, files, settings.size, settings.annotations, settings.folders)
    check_target(settings.out, settings.form, len(read.cameras))
    lines, depth = "", None
    if settings.depth:
        depth = DepthFolders([Path(folder) for folder in settings.depth], read.images, settings.depth_unit_mm)
    if rig is not None:
        for name in settings.moved:
            if name not in rig.names:
                raise ValueError(f"--moved: camera {name!r}, expected one of {', '.join(rig.names)}")
        done = update(read.people, rig, settings.moved, say, settings.seed)
        found, up, lines = done.found, rig.up, moves_text(done) + "\n"
    else:
        known = _knowledge(settings, read)
        found, up = calibrate(read.people, read.cameras, read.names, known, say, settings.seed, depth), UP
    say("looking for what speaks against it")
    verdict = judge(found)
    if settings.report is not None:
        write_report(settings.report, found, verdict)
    warnings = list(read.notes)
    if not read.focal:
        warnings.append(
            "no intrinsics: principal points are taken to be the images' middles; the uncertainties do not hold what "
            "that costs"
        )
    write = verdict.trusted or settings.keep
    if write:
        warnings += write_calibration(Rig(found.cameras, found.names, up), settings.out, settings.form)
    failed = [*read.failed, *(depth.failed if depth else [])]
    where = f"written to {settings.out}" if write else "nothing is written (--keep-implausible)"
    return Outcome(f"{lines}{text(found, verdict)}\n{where}", warnings, failed, write, verdict.trusted)


def _check(settings: CalibrateSettings) -> None:
    if settings.most_lag < 0:
        raise ValueError(f"--max-lag: {settings.most_lag}, expected 0 or more frames")
    if settings.stature_m is not None and not 0.8 <= settings.stature_m <= 2.2:
        raise ValueError(f"--height: {settings.stature_m:g}, expected people's mean height in metres, 0.8 to 2.2")
    if not 0 < settings.depth_unit_mm < 1000:
        raise ValueError(f"--depth-unit-mm: {settings.depth_unit_mm:g}, expected millimetres a count")
    if settings.update and (settings.intrinsics or settings.stature_m or settings.distance or settings.depth):
        raise ValueError("--update: the rig has intrinsics and a scale, expected none of them besides it")
    if settings.moved and not settings.update:
        raise ValueError("--moved: expected --update RIG, the calibration before")


def _knowledge(settings: CalibrateSettings, read: Recording) -> Knowledge:
    distance = None
    if settings.distance is not None:
        one, two, said = settings.distance
        try:
            metres = float(said)
        except ValueError:
            raise ValueError(f"--distance: {said!r}, expected two cameras and metres") from None
        for name in (one, two):
            if name not in read.names:
                raise ValueError(f"--distance: camera {name!r}, expected one of {', '.join(read.names)}")
        if one == two or not 0.05 <= metres <= 50:
            raise ValueError(f"--distance: {one} {two} {metres:g}, expected two cameras and metres, 0.05 to 50")
        distance = read.names.index(one), read.names.index(two), metres
    return Knowledge(read.focal, settings.stature_m, distance, None, settings.synchronous, settings.most_lag)
