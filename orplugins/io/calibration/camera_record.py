"""One camera as an object: our own form, OpenCV's, ROS's, Anipose's and Pose2Sim's differ in names of fields only."""

from __future__ import annotations

from typing import Any

import numpy as np

from orplugins.geometry.rig_checks import usual_size
from orplugins.geometry.rotations import from_vector
from orplugins.io.calibration.entry import Entry, direction_of, rigid, unit_of
from orplugins.io.calibration.lens_fields import lens_fields, make_camera
from orplugins.io.calibration.values import array, one_of, only
from orplugins.io.json_fields import number

NAMES = {
    "name": ("name", "camera_name"),
    "size": ("image_size", "size", "resolution", "imageSize"),
    "width": ("image_width", "width"),
    "height": ("image_height", "height"),
    "K": ("K", "camera_matrix", "cameraMatrix", "Camera_Matrix", "matrix", "M"),
    "dist": ("dist", "distortion", "distortions", "dist_coeffs", "dist_coeff", "distCoeffs", "distortion_coefficients",
             "Distortion_Coefficients", "distortion_coeffs", "D"),
    "R": ("R", "rotation", "rotation_matrix", "rvec"),
    "t": ("t", "T", "translation", "tvec"),
    "fisheye": ("fisheye", "fisheye_model"),
    "camera_to_world": ("camera_to_world", "cam_to_world", "T_wc", "c2w"),
    "world_to_camera": ("world_to_camera", "world_to_cam", "T_cw", "w2c"),
    "unit": ("unit", "units"),
}  # fmt: skip
# What calibration programs add and nothing depends on: dates, boards, residuals, matrices of images made from these.
WITHOUT_EFFECT = frozenset({
    "calibration_time", "calibration_Time", "nframes", "nr_of_frames", "nrOfFrames", "board_width", "board_Width",
    "board_height", "board_Height", "square_size", "square_Size", "marker_size", "aspectRatio", "fix_aspect_ratio",
    "flags", "flagValue", "avg_reprojection_error", "Avg_Reprojection_Error", "per_view_reprojection_errors",
    "extrinsic_parameters", "image_points", "grid_points", "rectification_matrix", "projection_matrix", "error", "rms",
    "port", "exposure", "grid_count", "verified_resolutions", "world_position", "world_orientation",
})  # fmt: skip
_KNOWN = frozenset(
    {name for names in NAMES.values() for name in names}
    | {"distortion_model", "distortion_order", "pose", "skew", "depth_scale", "depth_unit_mm"}
    | WITHOUT_EFFECT
)
# Known, and applied only where they change nothing: turned images, cameras that are to be left out.
_NEUTRAL = ("rotation_count", "ignore")


def camera_record(entry: Any, where: str, required: tuple[str, ...] = (), one_term: bool = False) -> Entry:
    """Read one camera.

    Args:
        entry: The object.
        where: File and entry, for errors.
        required: What must be there: "size", "pose".
        one_term: A single distortion number is k1 (Anipose).

    Returns:
        The camera.

    Raises:
        ValueError: An unknown key, a field that is missing or of another form, or one that cannot be applied.
    """
    only(entry, {*_KNOWN, *_NEUTRAL}, where)
    for key in _NEUTRAL:
        if entry.get(key):
            raise ValueError(f"{where}: '{key}' is {str(entry[key])[:60]} and cannot be applied, expected 0 or false")
    keys = {field: one_of(entry, names, where) for field, names in NAMES.items()}
    k = _matrix(entry, keys["K"] or NAMES["K"][0], where)
    size = _size(entry, keys, where)
    if size is None and "size" in required:
        raise ValueError(f"{where}: missing key 'image_size', expected (width, height) in pixels")
    order, distortion = lens_fields(entry, keys, where, one_term)
    camera = make_camera(
        (k[0, 0], k[1, 1], k[0, 2], k[1, 2]),
        size or usual_size((k[0, 2], k[1, 2])),
        order,
        distortion,
        where,
        depth_unit(entry, where),
    )
    transform, direction = _pose(entry, keys, where, "pose" in required)
    name = entry[keys["name"]] if keys["name"] else None
    if name is not None and not (isinstance(name, (str, int)) and str(name).strip()):
        raise ValueError(f"{where}: 'name' is {name!r}, expected a text")
    unit = unit_of(entry[keys["unit"]], where) if keys["unit"] else None
    return Entry(None if name is None else str(name), camera, transform, direction, unit, size is not None)


def _matrix(entry: dict, key: str, where: str) -> np.ndarray:
    k = array(entry, key, [(3, 3)], where)
    skew = number(entry, "skew", where) if "skew" in entry else 0.0
    if abs(k[0, 1]) > 1e-6 * abs(k[0, 0]) or skew:
        raise ValueError(f"{where}: skew {skew or k[0, 1]:g} in '{key}' cannot be applied, expected 0")
    if np.abs(k[2] - (0, 0, 1)).max() > 1e-9 or abs(k[1, 0]) > 1e-6 * abs(k[0, 0]):
        raise ValueError(f"{where}: '{key}' is {k.tolist()}, expected [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]")
    return k


def _size(entry: dict, keys: dict, where: str) -> tuple[float, float] | None:
    if keys["size"]:
        if keys["width"] or keys["height"]:
            raise ValueError(f"{where}: both '{keys['size']}' and '{keys['width'] or keys['height']}', expected one")
        width, height = array(entry, keys["size"], [(2,)], where)
        return width, height
    if not (keys["width"] or keys["height"]):
        return None
    return number(entry, keys["width"] or "image_width", where), number(entry, keys["height"] or "image_height", where)


def _pose(entry: dict, keys: dict, where: str, required: bool) -> tuple[np.ndarray | None, str | None]:
    said = direction_of(entry["pose"], where) if entry.get("pose") is not None else None
    for direction in ("camera_to_world", "world_to_camera"):
        key = keys[direction]
        if key is None:
            continue
        other = keys["R"] or keys["t"] or keys["world_to_camera" if direction == "camera_to_world" else key]
        if (other and other != key) or (said and said != direction):
            raise ValueError(
                f"{where}: '{key}' beside {f'{other!r}' if other else f'pose {said!r}'}, expected one pose"
            )
        return rigid(array(entry, key, [(3, 4), (4, 4)], where), where, key), direction
    if not (keys["R"] or keys["t"]):
        if required:
            raise ValueError(f"{where}: missing key 'R', expected rotation and translation of the camera")
        return None, said
    rotation = array(entry, keys["R"] or "R", [(3, 3), (3,)], where)
    if rotation.ndim == 1:
        if np.linalg.norm(rotation) > 2 * np.pi + 1e-6:
            raise ValueError(f"{where}: '{keys['R']}' turns by {np.linalg.norm(rotation):.4g}, expected radians")
        rotation = from_vector(rotation)
    translation = array(entry, keys["t"] or "t", [(3,)], where)
    return rigid(np.column_stack([rotation, translation]), where, keys["R"] or "R"), said


def depth_unit(entry: dict, where: str) -> float:
    """Millimetres that one count of a depth image stands for.

    Args:
        entry: With ``depth_scale`` (metres a count) or ``depth_unit_mm`` (millimetres a count), or neither: 1 mm.
        where: File and entry, for errors.

    Returns:
        Millimetres a count.

    Raises:
        ValueError: Impossible ones, or two that contradict each other.
    """
    found = {}
    for key, factor in (("depth_scale", 1000.0), ("depth_unit_mm", 1.0)):
        if entry.get(key) is None:
            continue
        value = number(entry, key, where)
        if not 1e-3 <= value * factor <= 100:
            cause = "; it looks like counts a metre" if value * factor >= 1000 else ""
            unit = "metres" if factor > 1 else "millimetres"
            raise ValueError(
                f"{where}: '{key}' is {value:g}, expected {unit} a count, {1e-3 / factor:g} to {100 / factor:g}{cause}"
            )
        found[key] = value * factor
    if len(found) == 2 and np.ptp(list(found.values())) > 1e-6 * max(found.values()):
        raise ValueError(f"{where}: 'depth_scale' and 'depth_unit_mm' contradict each other: {found}")
    return next(iter(found.values()), 1.0)
