"""Whole jobs on calibration files: show what one says, write it in another form."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from orplugins.geometry.rectified import ParallelRig
from orplugins.geometry.rig_checks import baselines, field_of_view
from orplugins.io.atomic import atomic_write
from orplugins.io.calibration.parse import SUFFIXES
from orplugins.io.calibration.read import is_parallel, read_unchecked
from orplugins.io.calibration.write import FORMS, lost, written
from orplugins.structures import Rig


def convert_calibration(
    path: Path,
    out: Path,
    form: str = "json",
    size: tuple[int, int] | None = None,
    unit: str | None = None,
    direction: str | None = None,
) -> list[str]:
    """Write a calibration in another form.

    Args:
        path: The file or folder.
        out: The file to write; a folder for OpenPose's form, and for OpenCV's with several cameras.
        form: "json" (our own), "opencv", "openpose", "toml" (Anipose, Pose2Sim) or "kalibr".
        size: (width, height) of the images, to scale the intrinsics to.
        unit: Of the translations, "m", "cm" or "mm", where the file does not say it.
        direction: Of the poses, see `orplugins.io.calibration.read_rig`.

    Returns:
        What was taken for granted, and what the form leaves out.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A file that cannot be read, an impossible calibration, one that the form cannot hold, or a path that
            does not fit the form.
    """
    rig, findings = read_unchecked(path, size, unit, direction)
    if findings:
        raise ValueError(f"{path}: {'; '.join(findings)}")
    pair = _pair(rig) if form == "json" and is_parallel(path) else None
    return [*rig.notes, *write_calibration(rig, out, form, pair)]


def check_target(out: Path, form: str, cameras: int) -> None:
    """Refuse a path that a calibration of this form cannot be written to, before the work.

    Args:
        out: The file to write, or the folder.
        form: See `convert_calibration`.
        cameras: Their number.

    Raises:
        ValueError: A suffix of another form, a file where a folder is needed, or another calibration's files in it.
    """
    if form == "openpose" or (form == "opencv" and cameras > 1):
        if out.exists() and not out.is_dir():
            raise ValueError(f"{out}: is a file, expected a folder: the form has one file a camera")
    elif out.suffix.lower() not in FORMS[form]:
        expected = " or ".join(FORMS[form])
        raise ValueError(f"{out}: suffix {out.suffix!r}, expected {expected} for a file of the form {form}")


def write_calibration(rig: Rig, out: Path, form: str = "json", pair: ParallelRig | None = None) -> list[str]:
    """Write cameras; each file is written whole or not at all.

    Args:
        rig: The cameras.
        out: The file to write, or the folder.
        form: See `convert_calibration`.
        pair: The parallel pair that they are, for our own form.

    Returns:
        What the form leaves out.

    Raises:
        ValueError: A rig that the form cannot hold, or a path that does not fit the form.
    """
    check_target(out, form, len(rig.cameras))
    files = written(rig, form, pair)
    folder = "" not in files
    if folder:
        _check_folder(out, set(files))
    for name, text in files.items():
        with atomic_write(out / name if folder else out) as file:
            file.write(text)
    return lost(rig, form)


def describe_calibration(
    path: Path, size: tuple[int, int] | None = None, unit: str | None = None, direction: str | None = None
) -> tuple[str, list[str]]:
    """Say what is in a calibration file.

    Args:
        path: The file or folder.
        size: (width, height) of the images, to scale the intrinsics to.
        unit: Of the translations, where the file does not say it.
        direction: Of the poses, the same.

    Returns:
        A text, and what is impossible about the calibration.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A file that cannot be read.
    """
    rig, findings = read_unchecked(path, size, unit, direction)
    lines = [f"{path}: {len(rig.cameras)} camera{'s' * (len(rig.cameras) > 1)}"]
    for name, camera in zip(rig.names, rig.cameras, strict=True):
        across, down = field_of_view(camera)
        lens = (
            f"{camera.distortion_order} lens of {len(camera.distortion)} numbers"
            if camera.distortion
            else "no distortion"
        )
        x, y, z = camera.pose[:3, 3]
        unit_text = "" if camera.depth_unit_mm == 1 else f", depth in {camera.depth_unit_mm:g} mm"
        lines.append(
            f"  {name}: {camera.size[0]}x{camera.size[1]}, focal {camera.fx:.1f} {camera.fy:.1f} px, field of view "
            f"{across:.1f} x {down:.1f} degrees, {lens}, at ({x:.3f}, {y:.3f}, {z:.3f}) m{unit_text}"
        )
    if len(rig.cameras) > 1:
        distances = baselines(rig.cameras)
        lines.append(f"  baselines {distances.min():.3f} to {distances.max():.3f} m")
    if rig.up is not None:
        lines.append(f"  vertical of the world: ({', '.join(f'{value:g}' for value in rig.up)})")
    return "\n".join([*lines, *(f"note: {note}" for note in rig.notes)]), findings


def _pair(rig: Rig) -> ParallelRig:
    left, right = rig.cameras
    baseline = float(np.linalg.norm(right.pose[:3, 3] - left.pose[:3, 3]))
    return ParallelRig(baseline, left.fx, left.size, (left.cx, left.cy), (right.cx, right.cy))


def _check_folder(out: Path, names: set[str]) -> None:
    """A folder is read whole: other calibration files in it would become cameras."""
    others = [p.name for p in out.glob("*") if p.suffix.lower() in SUFFIXES and p.name not in names]
    if others:
        raise ValueError(f"{out}: holds {sorted(others)[0]!r} already, expected a folder for these cameras alone")
