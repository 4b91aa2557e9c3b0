"""Calibrated cameras of a file: units and directions settled, intrinsics at the images' resolution, all checked."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.geometry.rectified import ParallelRig
from orplugins.geometry.rig_checks import at_size, camera_findings, parallel_findings, rig_findings
from orplugins.io.calibration.entry import METRES, Entry
from orplugins.io.calibration.formats import load
from orplugins.io.calibration.parse import parse
from orplugins.io.calibration.rig_records import parallel_pair
from orplugins.structures import Rig


def read_rig(
    path: str | os.PathLike,
    size: tuple[int, int] | None = None,
    unit: str | None = None,
    direction: str | None = None,
) -> Rig:
    """Read two calibrated cameras or more, in any of the forms of this package.

    A ``parallel`` file gives two cameras whose world is the left one.

    Args:
        path: The file, or a folder of one file a camera.
        size: (width, height) of the images, where the calibration was made at another resolution of the same view.
        unit: "m", "cm" or "mm", where the file does not say it.
        direction: "world_to_camera" or "camera_to_world", the same.

    Returns:
        The cameras, in metres and pixels.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: One line with file, camera, field, found and expected; also a calibration that is impossible, with
            its likely cause.
    """
    rig = read_cameras(path, size, unit, direction)
    if len(rig.cameras) < 2:
        raise ValueError(f"{path}: {len(rig.cameras)} cameras, expected two or more")
    return rig


def read_cameras(
    path: str | os.PathLike,
    size: tuple[int, int] | None = None,
    unit: str | None = None,
    direction: str | None = None,
) -> Rig:
    """Read one calibrated camera or more; see `read_rig`."""
    rig, findings = read_unchecked(path, size, unit, direction)
    if findings:
        raise ValueError(f"{path}: {'; '.join(findings)}")
    return rig


def read_unchecked(
    path: str | os.PathLike,
    size: tuple[int, int] | None = None,
    unit: str | None = None,
    direction: str | None = None,
) -> tuple[Rig, list[str]]:
    """Read cameras, and say what is impossible about them instead of refusing it; see `read_rig`.

    Returns:
        The cameras, and the findings of `orplugins.geometry.rig_checks`.
    """
    path = Path(path)
    found = load(path)
    unit = _said(path, "unit", found.unit, unit, "--unit")
    turned = _said(path, "pose", found.direction, direction, "--camera-to-world")
    names = _names(found.entries)
    cameras, known = [], True
    for entry, name in zip(found.entries, names, strict=True):
        here = Path(f"{path}: {name}")
        own = _said(here, "pose", entry.direction, turned, "the rest of the file")
        length = METRES[_said(here, "unit", entry.unit, unit, "the rest of the file") or "m"]
        cameras.append(_placed(entry, own or "world_to_camera", length, size))
        known = known and own is not None
    pair = found.pair and replace(found.pair, baseline_m=float(cameras[1].pose[0, 3]))
    with np.errstate(all="ignore"):  # absurd numbers are findings
        if pair:
            findings = parallel_findings(pair)
        else:
            findings = rig_findings(cameras, names, known)
    if size and not findings:
        cameras = _at_size(path, cameras, found.entries, size)
    notes = [*found.notes, *_guessed(found.entries, names, size), *([] if findings else _folding(cameras, names))]
    return Rig(cameras, names, found.up, tuple(notes)), findings


def read_parallel(path: str | os.PathLike) -> ParallelRig:
    """Read the ``parallel`` form.

    Args:
        path: A JSON or YAML file.

    Returns:
        The pair.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file has no such part (a general rig is read by `read_rig`), or describes an impossible pair.
    """
    content = parse(Path(path))
    if not isinstance(content, dict) or "parallel" not in content:
        found = ", ".join(sorted(content)[:8]) if isinstance(content, dict) else type(content).__name__
        raise ValueError(f"{path}: missing key 'parallel', found {found[:200] or 'no key'}")
    rig = parallel_pair(content, str(path))
    try:
        findings = parallel_findings(rig)
    except ValueError as error:
        raise ValueError(f"{path}: parallel: {error}") from None
    if findings:
        raise ValueError(f"{path}: parallel: {'; '.join(findings)}")
    return rig


def is_parallel(path: str | os.PathLike) -> bool:
    """Whether a calibration file describes a parallel pair.

    Args:
        path: The file; a folder describes none.

    Returns:
        True if it has a ``parallel`` part.

    Raises:
        FileNotFoundError, ValueError: See `read_rig`.
    """
    path = Path(path)
    if path.is_dir():
        return False
    content = parse(path)
    return isinstance(content, dict) and "parallel" in content


def load_camera(path: str | os.PathLike, size: tuple[int, int] | None = None) -> Camera:
    """Read one camera's intrinsics, and the unit of its depth images.

    The file is ``{"fx": .., "fy": .., "cx": .., "cy": .., "size": [width, height]}``, in pixels, with `distortion` if
    the depth image is not undistorted, its `distortion_order` ("opencv", "mvor" or "fisheye"), and `depth_scale`
    (metres a count) or `depth_unit_mm` if a count is not a millimetre; or RealSense's ``ppx, ppy, model, coeffs``; or
    any other form with one camera.

    Args:
        path: The file.
        size: (width, height) of the images, where the calibration was made at another resolution of the same view.

    Returns:
        The camera, at the origin of its world.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: One line with file, field, found and expected.
    """
    path = Path(path)
    found = load(path)
    if len(found.entries) != 1:
        raise ValueError(f"{path}: {len(found.entries)} cameras, expected one")
    findings = camera_findings(found.entries[0].camera)
    if findings:
        raise ValueError(f"{path}: {'; '.join(findings)}")
    camera = found.entries[0].camera
    return _at_size(path, [camera], found.entries, size)[0] if size else camera


def _said(path: Path, key: str, file: str | None, asked: str | None, option: str) -> str | None:
    """The one value of what may be said twice."""
    if file and asked and file != asked:
        raise ValueError(f"{path}: says '{key}' {file!r}, but {option} {asked!r}: expected one of them")
    return file or asked


def _names(entries: Sequence[Entry]) -> list[str]:
    return [entry.name or f"camera{i + 1}" for i, entry in enumerate(entries)]


def _placed(entry: Entry, direction: str, length: float, size: tuple[int, int] | None) -> Camera:
    camera = entry.camera if entry.sized or size is None else replace(entry.camera, size=size)
    if entry.transform is None:
        return camera
    with np.errstate(all="ignore"):
        transform = entry.transform.copy()
        transform[:3, 3] *= length
        pose = transform
        if direction == "world_to_camera":
            pose = np.eye(4)
            pose[:3, :3], pose[:3, 3] = transform[:3, :3].T, -transform[:3, :3].T @ transform[:3, 3]
    return replace(camera, pose=pose)


def _at_size(path: Path, cameras: list[Camera], entries: Sequence[Entry], size: tuple[int, int]) -> list[Camera]:
    try:
        return [at_size(camera, size) if e.sized else camera for camera, e in zip(cameras, entries, strict=True)]
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _guessed(entries: Sequence[Entry], names: list[str], size: tuple[int, int] | None) -> list[str]:
    guessed = {name: entry.camera.size for entry, name in zip(entries, names, strict=True) if not entry.sized}
    if size or not guessed:
        return []
    sizes = " and ".join(sorted({f"{width}x{height}" for width, height in guessed.values()}))
    return [f"{', '.join(guessed)}: the file says no image size; taken from the principal point: {sizes}"]


def _folding(cameras: list[Camera], names: list[str]) -> list[str]:
    """Lens models that end before the image does."""
    notes = []
    for camera, name in zip(cameras, names, strict=True):
        across, down = (np.linspace(0, side - 1, 24) for side in camera.size)
        lost = np.isnan(camera.undistort(np.stack(np.meshgrid(across, down), -1))).any(-1).mean()
        if lost > 0.01:
            notes.append(f"{name}: the lens model has no inverse over {100 * lost:.0f} % of the image: no joints there")
    return notes
