"""OpenCV's stereo calibration and OpenPose's camera files, both of OpenCV's FileStorage.

A single camera of OpenCV's FileStorage is a record like the others, see `camera_record`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from orplugins.io.calibration.camera_record import NAMES, WITHOUT_EFFECT, camera_record
from orplugins.io.calibration.entry import Calibration, Entry, rigid, unit_of
from orplugins.io.calibration.values import array, one_of, only

# Rectified images and epipolar geometry follow from the rest.
_DERIVED = ("R1", "R2", "P1", "P2", "Q", "E", "F", "H", "validRoi1", "validRoi2", "roi1", "roi2")
_SHARED = (*NAMES["size"], *NAMES["width"], *NAMES["height"], "fisheye", "fisheye_model", "distortion_model")


def is_stereo(content: Any) -> bool:
    """Whether a file has the names of OpenCV's stereo calibration."""
    return isinstance(content, dict) and bool({"M1", "K1", "cameraMatrix1", "M2"} & set(content))


def stereo(content: dict, where: str) -> Calibration:
    """Read OpenCV's stereo calibration: M1, D1, M2, D2, R and T, which take the first camera's axes to the second's.

    Args:
        content: The file's content.
        where: The file, for errors.

    Returns:
        Two cameras; the world is the first one.

    Raises:
        ValueError: A field that is missing, unknown or of another form.
    """
    names = {
        f"{kind}{i}": (f"{kind}{i}", *more)
        for i in (1, 2)
        for kind, more in (("M", (f"K{i}", f"cameraMatrix{i}")), ("D", (f"dist{i}", f"distCoeffs{i}")))
    }
    keys = {name: one_of(content, found, where) for name, found in names.items()}
    pose = {"R": NAMES["R"], "t": NAMES["t"], "unit": NAMES["unit"]}
    used = {name for group in (*names.values(), *pose.values()) for name in group}
    only(content, {*used, *_SHARED, *_DERIVED, *WITHOUT_EFFECT, "name"}, where)
    shared = {key: content[key] for key in _SHARED if key in content}
    entries = []
    for i in (1, 2):
        record = {**shared, "K": content[_there(keys, f"M{i}", where)]}
        if keys[f"D{i}"]:
            record["dist"] = content[keys[f"D{i}"]]
        if i == 2:
            record |= {key: content[key] for key in (*NAMES["R"], *NAMES["t"]) if key in content}
        entry = camera_record(record, f"{where}: camera {i}", ("pose",) if i == 2 else ())
        transform = np.eye(4) if i == 1 else entry.transform
        entries.append(Entry(f"camera{i}", entry.camera, transform, "world_to_camera", None, entry.sized))
    unit = one_of(content, NAMES["unit"], where)
    return Calibration(entries, direction="world_to_camera", unit=unit_of(content[unit], where) if unit else None)


def _there(keys: dict, name: str, where: str) -> str:
    if keys[name] is None:
        raise ValueError(f"{where}: missing key '{name}', expected OpenCV's stereo calibration (M1, D1, M2, D2, R, T)")
    return keys[name]


def is_openpose(content: Any) -> bool:
    """Whether a file has the names of an OpenPose camera."""
    return isinstance(content, dict) and ("CameraMatrix" in content or "Intrinsics" in content)


def openpose_camera(content: dict, where: str) -> Entry:
    """Read OpenPose's camera: CameraMatrix (3x4, world to camera), Intrinsics and Distortion.

    OpenPose's own files say no image size.

    Args:
        content: The file's content.
        where: The file, for errors.

    Returns:
        The camera.

    Raises:
        ValueError: A field that is missing, unknown or of another form.
    """
    names = ("CameraMatrix", "CameraMatrixInitial", "Intrinsics", "Distortion")
    more = ("image_width", "image_height", "fisheye", "unit")
    only(content, (*names, *more), where)
    for name in ("CameraMatrix", "Intrinsics", "Distortion"):
        if name not in content:
            raise ValueError(f"{where}: no element {name} with data, expected OpenPose's calibration")
    record = {"K": content["Intrinsics"], "dist": content["Distortion"]}
    record |= {key: content[key] for key in more[:3] if key in content}
    entry = camera_record(record, where)
    transform = rigid(array(content, "CameraMatrix", [(3, 4)], where), where, "CameraMatrix")
    unit = unit_of(content["unit"], where) if "unit" in content else None
    return replace(entry, transform=transform, unit=unit)
