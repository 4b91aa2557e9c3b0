"""Whether 2D joints are pixels, parts of the image, or pixels of an image of another size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# OpenPose's --keypoint_scale.
PIXELS, UNIT, SIGNED = 0, 3, 4
WORDS = {UNIT: "parts of the image from 0 to 1", SIGNED: "parts of the image from -1 to 1"}
_LEAST_JOINTS = 3
_OUTSIDE = 0.1  # share of joints that an estimator may put outside the image
_FACTORS = (1.5, 2.0, 2.25, 2.5, 3.0, 4.0, 4.5, 5.0, 6.0, 8.0, 10.0, 12.0)  # between usual image sizes
_MARGIN = 0.1  # of the image's side: so far out a joint does not count as outside


def known_joints(people: Sequence[np.ndarray]) -> np.ndarray:
    """Return (N, 2) places of all joints of arrays (..., 3) that are there: finite, and with a score above 0."""
    rows = np.concatenate([np.asarray(each, dtype=np.float64).reshape(-1, 3) for each in people] or [np.zeros((0, 3))])
    return rows[np.isfinite(rows).all(1) & (rows[:, 2] > 0), :2]


def detect_scale(joints: np.ndarray) -> int:
    """Tell parts of an image from pixels: nobody fits into one pixel.

    Args:
        joints: (N, 2) all joints of a file.

    Returns:
        OpenPose's ``keypoint_scale``: 0 (pixels), 3 ([0, 1]) or 4 ([-1, 1]).
    """
    if len(joints) < _LEAST_JOINTS or np.abs(joints).max() > 1.05:
        return PIXELS
    return SIGNED if joints.min() < -0.05 else UNIT


def to_pixels(people: np.ndarray, size: tuple[int, int], scale: int) -> np.ndarray:
    """Turn parts of an image into pixels.

    Args:
        people: (..., K, 3) x, y and score; 0 or NaN where a joint is missing.
        size: (width, height).
        scale: OpenPose's ``keypoint_scale``.

    Returns:
        The same with x and y in pixels; missing joints stay as they are.
    """
    if scale == PIXELS:
        return people
    share = people[..., :2] if scale == UNIT else (people[..., :2] + 1) / 2
    there = (people[..., 2:] > 0) & np.isfinite(people[..., :1])
    return np.concatenate([np.where(there, share * (np.array(size) - 1), people[..., :2]), people[..., 2:]], -1)


def screen_to_pixels(people: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Turn VideoPose3D's screen units (x from -1 to 1, y by the same scale) into pixels; see `to_pixels`."""
    width, height = size
    xy = (people[..., :2] + (1, height / width)) * (width / 2)
    there = (people[..., 2:] > 0) & np.isfinite(people[..., :1])
    return np.concatenate([np.where(there, xy, people[..., :2]), people[..., 2:]], -1)


def fills_a_quarter(joints: np.ndarray, size: tuple[int, int]) -> bool:
    """Whether all joints of a recording lie in the upper left quarter, as of images of half the size."""
    return bool(len(joints)) and bool((np.percentile(joints, 99, axis=0) < 0.52 * np.array(size)).all())


def check_extent(joints: np.ndarray, size: tuple[int, int], where: str) -> None:
    """Refuse joints that cannot be of images of this size.

    Args:
        joints: (N, 2) all joints of a recording, pixels.
        size: (width, height) of its images.
        where: The joints' file, for the error.

    Raises:
        ValueError: More than a tenth of the joints lie clearly outside; the error names the size that they fit.
    """
    if not len(joints):
        return
    size_px = np.array(size, dtype=float)
    outside = ((joints < -_MARGIN * size_px) | (joints > (1 + _MARGIN) * size_px)).any(1).mean()
    if outside > _OUTSIDE:
        reach = np.percentile(joints, 99, axis=0)
        factor = float((reach / size_px).max())
        likely = min((f for f in _FACTORS if f >= 0.9 * factor), default=factor)
        other = f"{round(size[0] * likely)}x{round(size[1] * likely)}"
        raise ValueError(
            f"{where}: {100 * outside:.0f} % of the joints lie outside an image of {size[0]}x{size[1]} (they reach "
            f"x = {reach[0]:.0f}, y = {reach[1]:.0f}): found in images of another size, such as {other}?"
        )
