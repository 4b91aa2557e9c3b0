"""Depth images of people whom one camera sees: read one by one, and whether they can be of people in a room."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from orplugins.depth.plausible import ROOM_MM, UNITS_MM, likely_units, median_distance
from orplugins.depth.png import load_depth
from orplugins.geometry.cameras import Camera
from orplugins.multiview.fit import stature
from orplugins.multiview.people import People
from orplugins.multiview.plausibility import Finding
from orplugins.multiview.single_view_depth import joints_on_depth

_HOLES = np.zeros((2, 2), dtype=np.uint16)
# Surfaces are not joints, and hidden joints lie on what hides them: a wide range.
_SIZES = (0.6, 1.6)


class DepthImages:
    """Reads depth images when they are asked for; one that cannot be read counts as nothing but holes.

    Args:
        folder: Where they are.
        names: For every frame V file names below it.
        unit_mm: Millimetres a count.

    Attributes:
        failed: What could not be read, one line each.
        medians: Median distances of those that were read, millimetres.
    """

    def __init__(self, folder: Path, names: Sequence[Sequence[str]], unit_mm: float = 1.0):
        self.folder, self.names, self.unit_mm = folder, names, unit_mm
        self.failed: dict[tuple[int, int], str] = {}
        self.medians: dict[tuple[int, int], float | None] = {}

    def __call__(self, frame: int, view: int) -> np.ndarray:
        """Return the image (H, W) of a frame and view, uint16 millimetres."""
        try:
            depth = load_depth(self.folder / self.names[frame][view], unit_mm=self.unit_mm)
        except (ValueError, OSError) as error:
            self.failed[frame, view] = str(error)
            return _HOLES
        self.medians[frame, view] = median_distance(depth)
        return depth

    @property
    def distance(self) -> float | None:
        """Usual median distance, millimetres."""
        known = [value for value in self.medians.values() if value is not None]
        return float(np.median(known)) if known else None


def check_depth_people(people: People, cameras: Sequence[Camera], images: DepthImages, most: int = 60) -> list[Finding]:
    """Look whether people on depth images have the size of people.

    Args:
        people: With those whom one view sees.
        cameras: V cameras of one world.
        images: Their depth images.
        most: Number of people that are looked at.

    Returns:
        Findings, with the unit that would fit.
    """
    alone = np.flatnonzero(people.support == 1)
    alone = alone[np.linspace(0, len(alone) - 1, min(most, len(alone))).astype(int)]
    points = []
    for row in alone:
        view = int(np.flatnonzero(people.members[row] >= 0)[0])
        depth = images(int(people.frame[row]), view)
        points.append(joints_on_depth(cameras[view], people.keypoints[row, view], depth))
    for frame in np.linspace(0, len(images.names) - 1, min(3, len(images.names))).astype(int) if not points else ():
        images(int(frame), 0)  # nobody is placed by depth, but its unit is wrong for the next as well
    if len(images.failed) and not images.medians:
        return [Finding(f"no depth image could be read: {next(iter(images.failed.values()))}")]
    size, distance = stature(np.stack(points)) if points else float("nan"), images.distance
    far = distance is not None and not ROOM_MM[0] <= distance <= ROOM_MM[1]
    impossible = not np.isnan(size) and not _SIZES[0] <= size <= _SIZES[1]
    if not (far or impossible):
        return []
    text = f"depth images in {images.folder}:"
    if impossible:
        text += f" people are {size:.2g} times as large as usual,"
        unit = min(UNITS_MM, key=lambda u: abs(np.log(u * size / images.unit_mm)))
    else:
        assert distance is not None
        unit = (likely_units(distance / images.unit_mm) or [images.unit_mm])[0]
    if distance is not None:
        text += f" the median distance is {distance / 1000:.3g} m"
    unit_text = f"a count is probably {unit:g} mm, not {images.unit_mm:g} mm (--depth-unit-mm {unit:g})"
    return [Finding(f"{text}; likely cause: the unit, {unit_text}", cause=True)]
