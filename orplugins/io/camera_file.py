"""Camera intrinsics from a small JSON file."""

from __future__ import annotations

import os

from orplugins.geometry.cameras import DISTORTION_ORDERS, Camera
from orplugins.io.json_fields import load_json, number, numbers


def load_camera(path: str | os.PathLike) -> Camera:
    """Read one camera's intrinsics.

    The file is ``{"fx": .., "fy": .., "cx": .., "cy": .., "size": [width,
    height]}``, in pixels, with `distortion` (five numbers) and `distortion_order` ("opencv" or "mvor") if the depth
    image is not undistorted.

    Args:
        path: JSON file.

    Returns:
        The camera, at the origin of its world.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: One line with file, field, found and expected.
    """
    record = load_json(path)
    where = str(path)
    fx, fy, cx, cy = (number(record, name, where) for name in ("fx", "fy", "cx", "cy"))
    size = numbers(record, "size", 2, where)
    distortion = numbers(record, "distortion", 5, where) if record.get("distortion") else ()
    order = record.get("distortion_order", "opencv")
    if order not in DISTORTION_ORDERS:
        raise ValueError(f"{where}: 'distortion_order' is {order!r}, expected one of {sorted(DISTORTION_ORDERS)}")
    try:
        return Camera(fx, fy, cx, cy, size=(size[0], size[1]), distortion=tuple(distortion), distortion_order=order)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
