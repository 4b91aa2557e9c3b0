"""Whether depth images can be of a room in the unit that they are read in."""

from __future__ import annotations

import numpy as np

# The middle of what a camera on a wall or ceiling of a room sees; beyond lies a hall, or another unit.
ROOM_MM = (400.0, 8000.0)
_LEAST_MEASURED = 0.1
# Millimetres a count of sensors and recorders: D400 at its finest, L515, D405 and others, centimetres, metres.
UNITS_MM = (0.1, 0.125, 0.25, 0.5, 1.0, 10.0, 100.0, 1000.0)
_TYPICAL_MM = 3000.0


def median_distance(depth_mm: np.ndarray) -> float | None:
    """Return the median of the measured pixels, millimetres; None where fewer than a tenth are measured."""
    measured = depth_mm[depth_mm > 0]
    return float(np.median(measured)) if measured.size >= _LEAST_MEASURED * depth_mm.size else None


def check_room_depth(depth_mm: np.ndarray, name: str, unit_mm: float = 1.0, option: str = "unit_mm") -> None:
    """Refuse a depth image whose distances no room has.

    Args:
        depth_mm: (H, W) millimetres, 0 = hole.
        name: Its file, for the error.
        unit_mm: The unit that it was read in, millimetres a count.
        option: What another unit is given by, for the error.

    Raises:
        ValueError: The median distance is below 0.4 m or beyond 8 m; the error names the unit that would fit.
    """
    median = median_distance(depth_mm)
    if median is not None and not ROOM_MM[0] <= median <= ROOM_MM[1]:
        fitting = likely_units(median / unit_mm)
        likely = " or ".join(f"{unit:g} mm (depth scale {unit / 1000:g} m)" for unit in fitting)
        cause = f"a count is probably {likely}, not {unit_mm:g} mm" if fitting else "no usual unit fits"
        raise ValueError(
            f"{name}: the median distance is {median / 1000:.3g} m, expected {ROOM_MM[0] / 1000:g} to "
            f"{ROOM_MM[1] / 1000:g} m in a room: {cause}: see {option}"
        )


def likely_units(median_counts: float) -> list[float]:
    """Return the units, millimetres a count, in which this median is one of a room; the nearest to 3 m comes first."""
    fitting = [unit for unit in UNITS_MM if ROOM_MM[0] <= median_counts * unit <= ROOM_MM[1]]
    return sorted(fitting, key=lambda unit: abs(np.log(median_counts * unit / _TYPICAL_MM)))
