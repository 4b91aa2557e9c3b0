"""Files of several camera records: our own form, a bare list, and the tables of Anipose and Pose2Sim."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from orplugins.geometry.rectified import ParallelRig
from orplugins.io.calibration.camera_record import camera_record
from orplugins.io.calibration.entry import Calibration, direction_of, unit_of
from orplugins.io.calibration.values import array, one_of, only
from orplugins.io.json_fields import entries, field, number

# Of the calibration's making; the unit alone has an effect.
_METADATA = ("unit", "units", "adjusted", "error", "date_time_calibrated", "path_to_recorded_videos",
             "charuco_square_size", "charuco_board_object", "groundplane_calibration")  # fmt: skip
_PAIR_KEYS = ("baseline_m", "focal_px", "cx", "cy", "cx_right", "cy_right", "image_size")


def camera_list(content: Any, where: str) -> Calibration:
    """Read ``{"cameras": [...], "up": .., "pose": .., "unit": ..}``, or the list alone.

    Args:
        content: The file's content.
        where: The file, for errors.

    Returns:
        The cameras.

    Raises:
        ValueError: See `camera_record`; an unknown key beside the cameras, a vertical without length.
    """
    if isinstance(content, list):
        content = {"cameras": content}
    only(content, ("cameras", "up", "pose", "unit", "units"), where)
    records = entries(content["cameras"], f"{where}: cameras")
    if not records:
        raise ValueError(f"{where}: 'cameras' is empty, expected one or more")
    required = ("size", "pose") if len(records) > 1 else ("size",)
    found = [camera_record(record, f"{where}: cameras[{i}]", required) for i, record in enumerate(records)]
    up = array(content, "up", [(3,)], where) if content.get("up") is not None else None
    if up is not None and not 1e-9 < np.abs(up).max() < 1e9:
        raise ValueError(f"{where}: 'up' is {up.tolist()}, expected the direction of the world's vertical")
    unit = one_of(content, ("unit", "units"), where)
    return Calibration(
        found,
        up,
        direction_of(content["pose"], where) if content.get("pose") is not None else None,
        unit_of(content[unit], where) if unit else None,
    )


def is_tables(content: Any) -> bool:
    """Whether a file has one table a camera, as Anipose and Pose2Sim write it."""
    tables = [value for key, value in content.items() if key != "metadata"] if isinstance(content, dict) else []
    return bool(tables) and all(isinstance(table, dict) and "matrix" in table for table in tables)


def camera_tables(content: dict, where: str) -> Calibration:
    """Read Anipose's and Pose2Sim's form: a table a camera, their order that of the file, and ``[metadata]``.

    Rotations are vectors, world to camera. The unit is written nowhere: metres in Pose2Sim, that of the calibration
    board in Anipose, often millimetres; ``unit`` in the metadata says it.

    Args:
        content: The file's content.
        where: The file, for errors.

    Returns:
        The cameras.

    Raises:
        ValueError: See `camera_record`; unknown metadata.
    """
    metadata = content.get("metadata", {})
    only(metadata, _METADATA, f"{where}: [metadata]")
    names = [name for name in content if name != "metadata"]
    required = ("size", "pose") if len(names) > 1 else ("size",)
    found = [camera_record(content[name], f"{where}: [{name[:60]}]", required, one_term=True) for name in names]
    unit = one_of(metadata, ("unit", "units"), where)
    named = [replace(e, name=e.name or name) for e, name in zip(found, names, strict=True)]
    return Calibration(named, unit=unit_of(metadata[unit], where) if unit else None)


def parallel_pair(content: dict, where: str) -> ParallelRig:
    """Read ``{"parallel": {...}}``.

    Args:
        content: The file's content.
        where: The file, for errors.

    Returns:
        The pair.

    Raises:
        ValueError: A field that is missing, unknown or of another form.
    """
    only(content, ("parallel",), where)
    entry, where = field(content, "parallel", where), f"{where}: parallel"
    if isinstance(entry, dict) and {"unit", "units", "dist", "distortion"} & set(entry):
        raise ValueError(
            f"{where}: baseline_m is metres and the images are free of distortion; other keys do not apply"
        )
    only(entry, _PAIR_KEYS, where)
    middle = (number(entry, "cx", where), number(entry, "cy", where))
    cx_right, cy_right = (
        number(entry, key, where) if key in entry else m
        for key, m in zip(("cx_right", "cy_right"), middle, strict=True)
    )
    width, height = array(entry, "image_size", [(2,)], where)
    if min(width, height) < 1 or width % 1 or height % 1:
        raise ValueError(f"{where}: 'image_size' is {[width, height]}, expected (width, height), whole numbers above 0")
    lengths = number(entry, "baseline_m", where), number(entry, "focal_px", where)
    try:
        return ParallelRig(*lengths, (int(width), int(height)), middle, (cx_right, cy_right))
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
