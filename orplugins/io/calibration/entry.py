"""What a calibration file says about one camera, before units and the direction of poses are settled."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.geometry.rectified import ParallelRig

DIRECTIONS = ("world_to_camera", "camera_to_world")
METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001}
_UNIT_NAMES = {
    "metre": "m",
    "meter": "m",
    "centimetre": "cm",
    "centimeter": "cm",
    "millimetre": "mm",
    "millimeter": "mm",
}


@dataclass(frozen=True)
class Entry:
    """One camera of a file.

    Attributes:
        name: Its name, None where the file gives none.
        camera: Intrinsics, at the origin.
        transform: (4, 4) as written, None where the file has no pose.
        direction: One of `DIRECTIONS` where the file says it or the format means it.
        unit: Key of `METRES`, the same.
        sized: The file says the image's size; else it is twice the principal point.
    """

    name: str | None
    camera: Camera
    transform: np.ndarray | None = None
    direction: str | None = None
    unit: str | None = None
    sized: bool = True


@dataclass(frozen=True)
class Calibration:
    """A file's cameras, as it writes them.

    Attributes:
        entries: The cameras, in its order.
        up: (3,) the world's vertical, None where it is not said.
        direction, unit: Of all cameras, where the file says so; see `Entry`.
        notes: What was left out or taken for granted.
        pair: The parallel pair, if the file describes one.
    """

    entries: list[Entry]
    up: np.ndarray | None = None
    direction: str | None = None
    unit: str | None = None
    notes: list[str] = field(default_factory=list)
    pair: ParallelRig | None = None


def unit_of(value: object, where: str) -> str:
    """Check a unit of length.

    Args:
        value: What the file says.
        where: File and entry, for the error.

    Returns:
        Key of `METRES`.

    Raises:
        ValueError: Another unit.
    """
    name = value.strip().lower() if isinstance(value, str) else ""
    name = _UNIT_NAMES.get(name.removesuffix("s"), name)
    if name not in METRES:
        raise ValueError(f"{where}: 'unit' is {value!r}, expected one of {', '.join(METRES)}")
    return name


def direction_of(value: object, where: str) -> str:
    """Check a direction of poses.

    Args:
        value: What the file says.
        where: File and entry, for the error.

    Returns:
        One of `DIRECTIONS`.

    Raises:
        ValueError: Something else.
    """
    name = value.strip().lower().replace("-", "_").replace(" ", "_") if isinstance(value, str) else ""
    name = "_".join({"cam": "camera"}.get(word, word) for word in name.split("_"))
    if name not in DIRECTIONS:
        raise ValueError(
            f"{where}: 'pose' is {value!r}, expected {' or '.join(DIRECTIONS)} (matrices have keys so named)"
        )
    return name


def rigid(values: np.ndarray, where: str, key: str) -> np.ndarray:
    """A transform whose rotation is one.

    Args:
        values: (3, 4) or (4, 4).
        where: File and entry, for the error.
        key: The field, for the error.

    Returns:
        (4, 4), the rotation's rounding taken out.

    Raises:
        ValueError: No rotation, or a last row other than 0 0 0 1.
    """
    from orplugins.geometry.rotations import nearest_rotation

    out = np.eye(4)
    out[: len(values)] = values
    rotation = out[:3, :3]
    with np.errstate(all="ignore"):
        error, volume = np.abs(rotation @ rotation.T - np.eye(3)).max(), np.linalg.det(rotation)
    if not error < 1e-3 or volume < 0:
        raise ValueError(f"{where}: '{key}' is no rotation (R R^T - 1 up to {error:.3g}, determinant {volume:.3g})")
    if np.abs(out[3] - (0, 0, 0, 1)).max() > 1e-6:
        raise ValueError(f"{where}: the last row of '{key}' is {out[3].tolist()}, expected [0, 0, 0, 1]")
    out[:3, :3] = nearest_rotation(rotation)
    return out
