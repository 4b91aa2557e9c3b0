"""Qualisys' calibration export, ``*.qca.txt``: XML with a camera an element.

What the file does not say and is taken for granted here: intrinsics are in 1/64 pixel of the sensor, of which
``fov_video`` is the recorded part; the rotation's rows take camera to world, transposed; the camera's axes are x right,
y up, z back; places are in millimetres; radial and tangential terms are OpenCV's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from orplugins.io.calibration.entry import Calibration, Entry, rigid
from orplugins.io.calibration.lens_fields import make_camera
from orplugins.io.json_fields import number

_PIXEL = 64.0
_TO_OPENCV = np.diag([1.0, -1.0, -1.0])


def is_qualisys(content: Any) -> bool:
    """Whether a document is one of Qualisys."""
    return (
        isinstance(content, dict)
        and isinstance(content.get("calibration"), dict)
        and "CAMERAS" in content["calibration"]
    )


def qualisys(content: dict, where: str) -> Calibration:
    """Read the video cameras; cameras that are switched off or record no video are left out and noted.

    Args:
        content: The file's content.
        where: The file, for errors.

    Returns:
        The cameras.

    Raises:
        ValueError: An element or attribute that is missing or no number; a skew; a turned view.
    """
    cameras = [camera for group in content["calibration"]["CAMERAS"] for camera in group.get("CAMERA", [])]
    entries, notes = [], []
    for i, camera in enumerate(cameras):
        name = str(camera.get("serial", f"camera{i + 1}"))
        here = f"{where}: camera {name[:60]}"
        if camera.get("active", "1") == "0" or not _has_video(camera):
            notes.append(f"camera {name} is left out: it is switched off or records no video")
            continue
        entries.append(_camera(camera, name, here))
    if not entries:
        raise ValueError(f"{where}: {len(cameras)} cameras, none with video (fov_video), expected one or more")
    return Calibration(entries, direction="camera_to_world", unit="mm", notes=notes)


def _camera(camera: dict, name: str, here: str) -> Entry:
    fov, inner, place = (_child(camera, element, here) for element in ("FOV_VIDEO", "INTRINSIC", "TRANSFORM"))
    turned = _value(camera, "viewrotation", here, 0.0)
    skew = _value(inner, "skew", here, 0.0)
    if turned or skew:
        what = f"viewrotation {turned:g}" if turned else f"skew {skew:g}"
        raise ValueError(f"{here}: {what} cannot be applied, expected 0")
    left, top, right, bottom = (_value(fov, side, here) for side in ("left", "top", "right", "bottom"))
    pinhole = (
        _value(inner, "focalLengthU", here) / _PIXEL,
        _value(inner, "focalLengthV", here) / _PIXEL,
        _value(inner, "centerPointU", here) / _PIXEL - left,
        _value(inner, "centerPointV", here) / _PIXEL - top,
    )
    k1, k2, k3 = (_value(inner, f"radialDistortion{n}", here, 0.0) for n in (1, 2, 3))
    p1, p2 = (_value(inner, f"tangentalDistortion{n}", here, 0.0) for n in (1, 2))
    size = right - left + 1, bottom - top + 1
    made = make_camera(pinhole, size, "opencv", np.array([k1, k2, p1, p2, k3]), here)
    rows = np.array([[_value(place, f"r{i}{j}", here) for j in (1, 2, 3)] for i in (1, 2, 3)])
    centre = [_value(place, axis, here) for axis in "xyz"]
    return Entry(name, made, rigid(np.column_stack([rows.T @ _TO_OPENCV, centre]), here, "transform"))


def _has_video(camera: dict) -> bool:
    fov = (camera.get("FOV_VIDEO") or [{}])[0]
    return not {fov.get("right"), fov.get("bottom")} & {None, "0", "0.0"}


def _child(camera: dict, name: str, where: str) -> dict:
    if len(camera.get(name, [])) != 1:
        raise ValueError(f"{where}: {len(camera.get(name, []))} elements {name.lower()}, expected one")
    return camera[name][0]


def _value(element: dict, name: str, where: str, default: float | None = None) -> float:
    if name not in element and default is not None:
        return default
    if name not in element:
        return number({}, name, where)  # says that it is missing
    raw = element[name]
    try:
        return number({name: float(raw)}, name, where)
    except ValueError:
        raise ValueError(f"{where}: '{name}' is {str(raw)[:60]!r}, expected a finite number") from None
