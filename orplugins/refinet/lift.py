"""From 2D joints and a depth image to 3D joints (RefiNet's step between modules A and B)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orplugins.refinet.checks import checked_depth, checked_joints, half_metres
from orplugins.refinet.depth_camera import DepthCamera
from orplugins.refinet.skeleton import median_root

WINDOWS = ("itop", "baracca", "pixel")
# Half the side of ITOP's window: 9 x 9 pixels.
_ITOP = 4


@dataclass(frozen=True)
class LiftSettings:
    """How the depth of a joint is read.

    Attributes:
        window: "itop": median of the measured pixels of 9 x 9, moved into the image at its border; "baracca": median of
            3 x 3, holes counted as 0; "pixel": the nearest pixel (plain lifting, what the refinement is compared with).
        holes: "missing": a joint without a measurement is missing; "person": it gets the median depth of its person's
            measured joints, because a hole says nothing about the person.
        half: Read ITOP's map as the float16 metres it is stored in, as the published code does for label poses: the
            median of an even number of pixels is then rounded to float16. It moves a joint by up to 2 mm.
    """

    window: str = "itop"
    half: bool = False
    holes: str = "missing"

    def __post_init__(self):
        if self.window not in WINDOWS:
            raise ValueError(f"window: found {self.window!r}, expected one of {WINDOWS}")
        if self.holes not in ("missing", "person"):
            raise ValueError(f"holes: found {self.holes!r}, expected 'missing' or 'person'")


def lift(
    pixels: np.ndarray,
    depth_mm: np.ndarray,
    camera: DepthCamera,
    settings: LiftSettings | None = None,
    present: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Lift joints to the depth that the image has at them.

    Args:
        pixels: (..., K, 2). Missing are joints whose integer part is not right of or below the first pixel ("itop"), or
            that are negative or exactly (0, 0) ("baracca"), or that are outside the image ("pixel").
        depth_mm: (H, W), millimetres, 0 = hole.
        camera: Of the depth image.
        settings: How the depth is read; None: the defaults.
        present: (..., K), joints that the 2D pose has; all if None.

    Returns:
        points: (..., K, 3) float64, millimetres, y up; (0, 0, 0) where there is no depth.
        valid: (..., K) bool.
    """
    settings = settings or LiftSettings()
    pixels = checked_joints(pixels, 2, "pixels")
    depth = checked_depth(depth_mm)
    flat = pixels.reshape(-1, 2)
    z = {"itop": _itop, "baracca": _baracca, "pixel": _pixel}[settings.window](flat, depth, settings.half)
    z = z.reshape(pixels.shape[:-1])
    if present is not None:
        z = np.where(present, z, 0)
    if settings.holes == "person":
        measured = z > 0
        inner = median_root(np.repeat(z[..., None], 3, axis=-1), measured)[..., 0]
        z = np.where(measured | (np.zeros(z.shape, bool) if present is None else ~np.asarray(present, bool)), z, inner)
    points = camera.back_project(pixels, z)
    valid = z > 0
    return np.where(valid[..., None], points, 0.0), valid


def _itop(pixels: np.ndarray, depth: np.ndarray, half: bool) -> np.ndarray:
    values = half_metres(depth) if half else depth
    whole = np.clip(np.trunc(pixels), -1e6, 1e6).astype(np.int64)
    window, inside = _windows(whole, values, _ITOP, moved=True)
    measured = inside & (window != 0)
    z = _median(window, measured)
    z[(whole <= 0).all(axis=1)] = 0
    return z.astype(np.float32) * np.float32(1000) if half else z.astype(np.float32)


def _baracca(pixels: np.ndarray, depth: np.ndarray, half: bool) -> np.ndarray:
    height, width = depth.shape
    starts, ends = [], []
    for axis, size in ((1, height), (0, width)):
        c = pixels[:, axis]
        starts.append(np.where(c < size, np.maximum(c - 1, 0), size - 2).astype(np.int64))
        ends.append(np.where(c + 2 < size, np.maximum(c + 2, 0), size - 1).astype(np.int64))
    steps = np.arange(3)
    rows, columns = (start[:, None] + steps for start in starts)
    inside = (rows < ends[0][:, None])[:, :, None] & (columns < ends[1][:, None])[:, None, :]
    window = depth[np.clip(rows, 0, height - 1)[:, :, None], np.clip(columns, 0, width - 1)[:, None, :]]
    z = _median(window.reshape(len(pixels), 9), inside.reshape(len(pixels), 9))
    z[(pixels < 0).any(axis=1) | (pixels == 0).all(axis=1)] = 0
    return z


def _pixel(pixels: np.ndarray, depth: np.ndarray, half: bool) -> np.ndarray:
    height, width = depth.shape
    nearest = np.rint(np.clip(pixels, -1e6, 1e6)).astype(np.int64)
    inside = ((nearest >= 0) & (nearest < (width, height))).all(axis=1)
    column, row = np.where(inside[:, None], nearest, 0).T
    return np.where(inside, depth[row, column], 0)


def _windows(centres: np.ndarray, values: np.ndarray, n: int, moved: bool) -> tuple[np.ndarray, np.ndarray]:
    """(K, (2n+1)^2) values of the windows around `centres` (K, 2) and which of them belong to it.

    The window's start is at most n before the far border, so that a joint outside the image reads its nearest strip.
    """
    steps = np.arange(2 * n + 1)
    picked, inside = [], []
    for axis, size in ((1, values.shape[0]), (0, values.shape[1])):
        c = centres[:, axis]
        start = np.minimum(np.maximum(c - n, 0), max(size - n, 0))
        end = np.minimum(np.maximum(c, 0) + n + 1, size)
        index = start[:, None] + steps
        picked.append(np.minimum(index, size - 1))
        inside.append(index < end[:, None])
    rows, columns = picked
    window = values[rows[:, :, None], columns[:, None, :]]
    both = inside[0][:, :, None] & inside[1][:, None, :]
    return window.reshape(len(centres), -1), both.reshape(len(centres), -1)


def _median(values: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Median over axis 1 of the counted values (0 where there is none), rounded to the values' dtype."""
    count = counted.sum(axis=1)
    # float16 sorts slowly; float32 holds each of its values.
    order = np.sort(np.where(counted, values.astype(np.float32), np.inf), axis=1)
    rows = np.arange(len(values))
    low, high = order[rows, np.maximum(count - 1, 0) // 2], order[rows, np.minimum(count // 2, order.shape[1] - 1)]
    with np.errstate(invalid="ignore"):
        median = (low + high) / np.float32(2)
    return np.where(count > 0, median, 0).astype(values.dtype).astype(np.float32)
