"""A camera's lens in a file: which model, which numbers of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.geometry.lens import DISTORTION_COUNTS, DISTORTION_ORDERS
from orplugins.io.calibration.values import array

_MOST_DISTORTION = 1e6
_MODELS = {
    **dict.fromkeys(
        ("plumbbob", "radtan", "radialtangential", "brownconrady", "opencv", "rationalpolynomial"), "opencv"
    ),
    **dict.fromkeys(("pinhole", "standard", "perspective"), "opencv"),
    **dict.fromkeys(("equidistant", "fisheye", "kannalabrandt", "kannalabrandt4"), "fisheye"),
    "mvor": "mvor",
    "none": "none",
}


def make_camera(
    pinhole: tuple[float, float, float, float],
    size: tuple[float, float],
    order: str,
    distortion: np.ndarray,
    where: str,
    depth_unit_mm: float = 1.0,
) -> Camera:
    """A camera at the origin, with errors that name the file.

    Args:
        pinhole: fx, fy, cx, cy, pixels.
        size: (width, height).
        order: Of `DISTORTION_ORDERS`.
        distortion: The numbers; only zeros are no distortion.
        where: File and entry, for errors.
        depth_unit_mm: Millimetres a count.

    Returns:
        The camera.

    Raises:
        ValueError: Anything that `Camera` refuses.
    """
    numbers = tuple(float(value) for value in distortion)
    if np.abs(numbers).max(initial=0.0) > _MOST_DISTORTION:
        raise ValueError(
            f"{where}: distortion numbers of {max(numbers, key=abs):g}, expected up to {_MOST_DISTORTION:g}"
        )
    if order != "fisheye" and not any(numbers):
        order, numbers = "opencv", ()
    try:
        fx, fy, cx, cy = (float(value) for value in pinhole)
        return Camera(fx, fy, cx, cy, (size[0], size[1]), numbers, order, depth_unit_mm=depth_unit_mm)  # type: ignore
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def lens_fields(entry: dict, keys: dict, where: str, one_term: bool) -> tuple[str, np.ndarray]:
    """Take model and numbers of a lens.

    Args:
        entry: The object.
        keys: Which keys of it hold "fisheye" and "dist", None where there is none.
        where: File and entry, for errors.
        one_term: A single distortion number is k1 (Anipose).

    Returns:
        Order and numbers of the camera.

    Raises:
        ValueError: Models that contradict each other, or numbers that are not of the model.
    """
    orders = []
    if keys["fisheye"] and entry[keys["fisheye"]] is not None:
        flag = entry[keys["fisheye"]]
        if flag not in (True, False, 0, 1):
            raise ValueError(f"{where}: '{keys['fisheye']}' is {flag!r}, expected true or false")
        if flag:
            orders.append("fisheye")
    for key in ("distortion_model", "distortion_order"):
        if entry.get(key) is not None:
            orders.append(_model(entry[key], key, where))
    if len({"opencv" if order == "none" else order for order in orders}) > 1:
        raise ValueError(f"{where}: says {' and '.join(orders)} of the lens, expected one model")
    order = orders[0] if orders else "opencv"
    key = keys["dist"]
    if key is None or entry[key] is None or entry[key] in ([], [[]]):
        if order == "fisheye":
            raise ValueError(f"{where}: missing distortion numbers, expected the 4 of the fisheye model")
        return "opencv", np.zeros(0)
    return order_and_numbers(entry, key, order, where, one_term)


def order_and_numbers(entry: dict, key: str, order: str, where: str, one_term: bool = False) -> tuple[str, np.ndarray]:
    """Take the distortion numbers of a model.

    Args:
        entry: The object.
        key: The field.
        order: Of `DISTORTION_ORDERS`, or "none".
        where: File and entry, for errors.
        one_term: A single number is k1.

    Returns:
        Order and numbers of the camera.

    Raises:
        ValueError: A count that the model does not have, or numbers of no model.
    """
    counts = DISTORTION_COUNTS["opencv" if order == "none" else order]
    allowed = (*counts, 1) if one_term and order == "opencv" else counts
    try:
        values = array(entry, key, [(n,) for n in allowed], where)
    except ValueError as error:
        raise ValueError(f"{error} of the {order} model" if "numbers, expected" in str(error) else error) from None
    if order == "none":
        if values.any():
            raise ValueError(f"{where}: '{key}' has numbers above 0, but the model of the lens is none")
        return "opencv", np.zeros(0)
    return order, np.concatenate([values, np.zeros(3)]) if len(values) == 1 else values


def _model(value: Any, key: str, where: str) -> str:
    name = "".join(letter for letter in value.lower() if letter.isalnum()) if isinstance(value, str) else ""
    if name not in _MODELS or (key == "distortion_order" and name not in DISTORTION_ORDERS):
        expected = DISTORTION_ORDERS if key == "distortion_order" else ("plumb_bob", "rational_polynomial", "fisheye")
        raise ValueError(
            f"{where}: '{key}' is {value!r}, which cannot be applied, expected one of {', '.join(expected)}"
        )
    return _MODELS[name]
