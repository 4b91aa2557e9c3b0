"""Kalibr's camera chain: ``cam0``, ``cam1``, ..., each with its pose relative to the one before."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from orplugins.io.calibration.entry import Calibration, Entry, rigid
from orplugins.io.calibration.lens_fields import make_camera, order_and_numbers
from orplugins.io.calibration.values import array, only
from orplugins.io.json_fields import text

# The rest of the file is about the inertial sensor, and about who sees whom.
_KNOWN = ("camera_model", "intrinsics", "distortion_model", "distortion_coeffs", "resolution", "T_cn_cnm1",
          "T_cam_imu", "timeshift_cam_imu", "cam_overlaps", "rostopic")  # fmt: skip
_LENSES = {"radtan": "opencv", "equidistant": "fisheye", "none": "none"}


def is_kalibr(content: Any) -> bool:
    """Whether a file is a camera chain."""
    return isinstance(content, dict) and any(
        re.fullmatch(r"cam\d+", key) and isinstance(value, dict) and "intrinsics" in value
        for key, value in content.items()
    )


def kalibr(content: dict, where: str) -> Calibration:
    """Read a camera chain.

    Args:
        content: The file's content.
        where: The file, for errors.

    Returns:
        The cameras, in metres; the world is ``cam0``.

    Raises:
        ValueError: A field that is missing, unknown or of another form; a model other than pinhole with radtan,
            equidistant or none.
    """
    names = [f"cam{i}" for i in range(len(content))]
    only(content, names, where)
    entries, transform = [], np.eye(4)
    for i, name in enumerate(names):
        here, camera = f"{where}: {name}", content[name]
        only(camera, _KNOWN, here)
        if text(camera, "camera_model", here) != "pinhole":
            raise ValueError(
                f"{here}: 'camera_model' is {camera['camera_model']!r}, which cannot be applied, expected pinhole"
            )
        lens = text(camera, "distortion_model", here)
        if lens not in _LENSES:
            raise ValueError(
                f"{here}: 'distortion_model' is {lens!r}, which cannot be applied, expected {', '.join(_LENSES)}"
            )
        order, numbers = "opencv", np.zeros(0)
        if lens != "none" or camera.get("distortion_coeffs"):
            order, numbers = order_and_numbers(camera, "distortion_coeffs", _LENSES[lens], here)
        fx, fy, cx, cy = array(camera, "intrinsics", [(4,)], here).tolist()
        width, height = array(camera, "resolution", [(2,)], here).tolist()
        if not i and camera.get("T_cn_cnm1") is not None:
            raise ValueError(f"{here}: 'T_cn_cnm1' of the first camera cannot be applied, expected it from cam1 on")
        if i:
            step = rigid(array(camera, "T_cn_cnm1", [(4, 4), (3, 4)], here), here, "T_cn_cnm1")
            transform = step @ transform
        made = make_camera((fx, fy, cx, cy), (width, height), order, numbers, here)
        entries.append(Entry(name, made, transform))
    return Calibration(entries, direction="world_to_camera", unit="m")
