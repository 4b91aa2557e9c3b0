"""Which form a calibration file has, told by what is in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.io.calibration import kalibr, one_camera, opencv, qualisys, rig_records
from orplugins.io.calibration.camera_record import NAMES, camera_record
from orplugins.io.calibration.entry import Calibration, Entry
from orplugins.io.calibration.parse import SUFFIXES, parse


def load(path: Path) -> Calibration:
    """Read a file, or a folder of one file a camera (sorted by name).

    Args:
        path: The file or folder.

    Returns:
        Its cameras.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: One line with file, entry, field, found and expected.
    """
    if not path.is_dir():
        return interpret(parse(path), str(path))
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES and not file.name.startswith("."))
    if not files:
        raise ValueError(f"{path}: no file of {', '.join(SUFFIXES)}, expected a calibration file a camera")
    found = [interpret(parse(file), str(file)) for file in files]
    entries, notes = [], []
    for file, one in zip(files, found, strict=True):
        if len(one.entries) != 1 or one.up is not None:
            raise ValueError(f"{file}: {len(one.entries)} cameras, expected one a file in a folder")
        entry = one.entries[0]
        if entry.transform is None and len(files) > 1:
            raise ValueError(f"{file}: no pose of the camera, expected rotation and translation")
        unit, direction = entry.unit or one.unit, entry.direction or one.direction
        entries.append(Entry(entry.name or file.stem, entry.camera, entry.transform, direction, unit, entry.sized))
        notes += one.notes
    return Calibration(entries, notes=notes)


def interpret(content: Any, where: str) -> Calibration:
    """Understand what a file says.

    Args:
        content: From `parse`.
        where: The file, for errors.

    Returns:
        Its cameras.

    Raises:
        ValueError: One line with file, entry, field, found and expected.
    """
    if isinstance(content, dict) and set(content) == {"opencv_storage"}:
        content = content["opencv_storage"]
    if isinstance(content, list) or (isinstance(content, dict) and "cameras" in content):
        return rig_records.camera_list(content, where)
    if isinstance(content, dict) and "parallel" in content:
        return _pair(content, where)
    if qualisys.is_qualisys(content):
        return qualisys.qualisys(content, where)
    if kalibr.is_kalibr(content):
        return kalibr.kalibr(content, where)
    if rig_records.is_tables(content):
        return rig_records.camera_tables(content, where)
    if opencv.is_openpose(content):
        return Calibration([opencv.openpose_camera(content, where)])
    if opencv.is_stereo(content):
        return opencv.stereo(content, where)
    if one_camera.is_short(content):
        return Calibration([one_camera.short_camera(content, where)])
    if isinstance(content, dict) and set(NAMES["K"]) & set(content):
        return Calibration([camera_record(content, where)])
    if isinstance(content, dict):
        found = f"keys {', '.join(sorted(content)[:8])[:200] or 'none'}"
    else:
        found = f"a {type(content).__name__}"
    raise ValueError(
        f"{where}: {found}, expected a calibration: a list of cameras, 'parallel', or a file of OpenCV, OpenPose, "
        "Anipose, Pose2Sim, Qualisys, Kalibr or RealSense"
    )


def _pair(content: dict, where: str) -> Calibration:
    """The left camera is the world."""
    rig = rig_records.parallel_pair(content, where)
    try:
        left, right = (Camera(rig.focal_px, rig.focal_px, *centre, rig.size) for centre in (rig.left, rig.right))
    except ValueError as error:
        raise ValueError(f"{where}: parallel: {error}") from None
    moved = np.eye(4)
    moved[0, 3] = rig.baseline_m
    entries = [Entry("left", left, np.eye(4)), Entry("right", right, moved)]
    up = np.array([0.0, -1.0, 0.0])
    return Calibration(entries, up, "camera_to_world", pair=rig)
