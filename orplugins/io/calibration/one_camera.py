"""One depth camera: our short form, and what RealSense's library prints of its intrinsics."""

from __future__ import annotations

from typing import Any

import numpy as np

from orplugins.geometry.lens import DISTORTION_ORDERS
from orplugins.io.calibration.camera_record import depth_unit
from orplugins.io.calibration.entry import Entry
from orplugins.io.calibration.lens_fields import make_camera, order_and_numbers
from orplugins.io.calibration.values import array, one_of, only
from orplugins.io.json_fields import number

_SIZE, _DIST = ("size", "image_size"), ("distortion", "dist", "distortions")
_SHORT = ("fx", "fy", "cx", "cy", *_SIZE, *_DIST, "distortion_order", "fisheye", "depth_scale", "depth_unit_mm", "name")
_REALSENSE = ("width", "height", "fx", "fy", "ppx", "ppy", "model", "coeffs", "depth_scale", "depth_unit_mm", "name")
# The library's numbers of its models, and how its Python and C names end.
_MODELS = ("none", "modified_brown_conrady", "inverse_brown_conrady", "ftheta", "brown_conrady", "kannala_brandt4")
_APPLIED = {"none": "none", "brown_conrady": "opencv", "kannala_brandt4": "fisheye"}


def is_short(content: Any) -> bool:
    """Whether a file is of our short form or RealSense's."""
    return (
        isinstance(content, dict)
        and "cameras" not in content
        and bool({"fx", "fy", "ppx", "ppy"} & {key.lower() for key in content})
    )


def short_camera(content: dict, where: str) -> Entry:
    """Read ``{"fx", "fy", "cx", "cy", "size"}`` with distortion and depth unit, or RealSense's intrinsics.

    Args:
        content: The file's content.
        where: The file, for errors.

    Returns:
        The camera.

    Raises:
        ValueError: A field that is missing, unknown or of another form.
    """
    if {"ppx", "ppy", "coeffs"} & set(content):
        return _realsense(content, where)
    only(content, _SHORT, where)
    pinhole = tuple(number(content, key, where) for key in ("fx", "fy", "cx", "cy"))
    width, height = array(content, one_of(content, _SIZE, where) or "size", [(2,)], where)
    order = content.get("distortion_order", "opencv")
    if not isinstance(order, str) or order not in DISTORTION_ORDERS:
        raise ValueError(f"{where}: 'distortion_order' is {order!r}, expected one of {sorted(DISTORTION_ORDERS)}")
    fisheye = content.get("fisheye", False)
    if type(fisheye) is not bool or (fisheye and content.get("distortion_order", "fisheye") != "fisheye"):
        raise ValueError(f"{where}: 'fisheye' is {fisheye!r} with distortion_order {order!r}, expected true or false")
    order, key, numbers = "fisheye" if fisheye else order, one_of(content, _DIST, where), np.zeros(0)
    if order == "fisheye" or (key and content[key]):
        order, numbers = order_and_numbers(content, key or "distortion", order, where)
    made = make_camera(pinhole, (width, height), order, numbers, where, depth_unit(content, where))  # type: ignore
    name = content.get("name")
    return Entry(None if name is None else str(name), made)


def _realsense(content: dict, where: str) -> Entry:
    only(content, _REALSENSE, where)
    fx, fy, cx, cy, width, height = (
        number(content, key, where) for key in ("fx", "fy", "ppx", "ppy", "width", "height")
    )
    coeffs = array(content, "coeffs", [(5,), (4,), (0,)], where) if "coeffs" in content else np.zeros(0)
    name = _model(content.get("model", "none"), where)
    # Without numbers every model of a pinhole is none; the depth images of most devices come so.
    order = "none" if name != "ftheta" and name != "kannala_brandt4" and not coeffs.any() else _APPLIED.get(name)
    if order is None:
        raise ValueError(
            f"{where}: 'model' is {content['model']!r} with 'coeffs' other than 0, which cannot be applied, expected "
            f"{', '.join(_APPLIED)}"
        )
    if order == "none" and coeffs.any():
        raise ValueError(f"{where}: 'coeffs' has numbers other than 0, but 'model' is {content.get('model', 'none')!r}")
    if order == "fisheye":
        if len(coeffs) == 5 and coeffs[4]:
            raise ValueError(f"{where}: 'coeffs' has 5 numbers other than 0, expected 4 of the fisheye model")
        coeffs = np.concatenate([coeffs, np.zeros(4)])[:4]
    numbers = np.zeros(0) if order == "none" else coeffs
    made = make_camera(
        (fx, fy, cx, cy), (width, height), "opencv" if order == "none" else order, numbers, where,
        depth_unit(content, where),
    )  # fmt: skip
    label = content.get("name")
    return Entry(None if label is None else str(label), made)


def _model(value: Any, where: str) -> str:
    if type(value) is int and 0 <= value < len(_MODELS):
        return _MODELS[value]
    text = value.lower().replace(" ", "_").replace("-", "_").rpartition(".")[2] if isinstance(value, str) else ""
    text = text.removeprefix("rs2_").removeprefix("distortion_").replace("f_theta", "ftheta")
    if text not in _MODELS:
        raise ValueError(f"{where}: 'model' is {value!r}, expected one of {', '.join(_MODELS)}")
    return text
