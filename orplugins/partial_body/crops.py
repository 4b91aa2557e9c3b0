"""Views of a part of a person: connected parts for training crops, and cuts of the frame for tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orplugins.skeletons import Skeleton

CUTS = ("waist", "chest", "side")


def grow_part(
    links: Sequence[tuple[int, int]], allowed: np.ndarray, start: int, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Up to ``count`` joints that hang together: from ``start`` along random links to joints that are allowed.

    Args:
        links: Pairs of joints.
        allowed: (K,) bool; ``start`` must be allowed.
        start: The first joint.
        count: Wanted number of joints.
        rng: Source of all randomness.

    Returns:
        Sorted indices.
    """
    part = {start}
    while len(part) < count:
        reach = {b for a, b in links if a in part} | {a for a, b in links if b in part}
        choice = sorted(joint for joint in reach - part if allowed[joint])
        if not choice:
            break
        part.add(choice[rng.integers(len(choice))])
    return np.array(sorted(part))


def part_box(keypoints: np.ndarray, ids: np.ndarray, least: float, padding: float) -> tuple[np.ndarray, np.ndarray]:
    """The padded box of some joints.

    Args:
        keypoints: (K, 2) pixels.
        ids: Indices of the joints.
        least: Minimum side before padding, pixels.
        padding: Factor by which the box is enlarged.

    Returns:
        Centre (2,) and size (2,), pixels.
    """
    low, high = keypoints[ids].min(0), keypoints[ids].max(0)
    return (low + high) / 2, np.maximum(high - low, least) * padding


def truncate(size: tuple[int, int], side: str, fraction: float) -> tuple[int, int, int, int]:
    """The window that is left of an image when a side is cut off.

    Args:
        size: (width, height) of the image.
        side: "left", "top", "right" or "bottom".
        fraction: Part of the width or height that is cut off.

    Returns:
        x1, y1, x2, y2 (exclusive), pixels.
    """
    width, height = size
    x1, y1, x2, y2 = 0, 0, width, height
    if side == "left":
        x1 = round(fraction * width)
    elif side == "right":
        x2 = width - round(fraction * width)
    elif side == "top":
        y1 = round(fraction * height)
    else:
        y2 = height - round(fraction * height)
    return x1, y1, x2, y2


def inside(points: np.ndarray, window: Sequence[float]) -> np.ndarray:
    """Whether points lie on the pixels of a window.

    Args:
        points: (..., 2) pixels.
        window: x1, y1, x2, y2 (exclusive).

    Returns:
        (...) bool.
    """
    x1, y1, x2, y2 = window
    x, y = points[..., 0], points[..., 1]
    return (x >= x1 - 0.5) & (y >= y1 - 0.5) & (x < x2 - 0.5) & (y < y2 - 0.5)


def cut_window(
    keypoints: np.ndarray, labelled: np.ndarray, skeleton: Skeleton, cut: str, size: tuple[int, int]
) -> tuple[int, int, int, int] | None:
    """The window of a frame that shows a person only in part.

    The cut runs along the frame's rows or columns, whichever is more nearly across the trunk (``"waist"``: at the hips,
    ``"chest"``: 0.45 of the way down to them; the head's side is kept) or along it (``"side"``: the half with the
    joints named left is kept, cut at the middle of the shoulders and hips).

    Args:
        keypoints: (K, 2) in frame pixels.
        labelled: (K,) bool.
        skeleton: The joint set.
        cut: One of `CUTS`.
        size: (width, height) of the frame.

    Returns:
        x1, y1, x2, y2 (exclusive); None where a joint that the cut needs is not labelled, nothing is left, or a person
        stands in profile whom a ``"side"`` cut should halve.

    Raises:
        ValueError: Another cut.
    """
    if cut not in CUTS:
        raise ValueError(f"cut_window: cut is {cut!r}, expected one of {', '.join(CUTS)}")
    ids = [skeleton.index(name) for name in ("left_shoulder", "right_shoulder", "left_hip", "right_hip")]
    if not np.asarray(labelled)[ids].all():
        return None
    left_shoulder, right_shoulder, left_hip, right_hip = np.asarray(keypoints, dtype=np.float64)[ids]
    shoulders, hips = (left_shoulder + right_shoulder) / 2, (left_hip + right_hip) / 2
    trunk = hips - shoulders
    if cut == "side":
        place = (shoulders + hips) / 2
        away = (right_shoulder - left_shoulder + right_hip - left_hip) / 2
        if np.abs(away).max() < np.abs(trunk).max() / 4:  # seen from the side: no half can be told
            return None
    else:
        place = shoulders + trunk * (0.45 if cut == "chest" else 1.0)
        away = trunk
    axis = int(np.argmax(np.abs(away)))
    line = int(round(place[axis]))
    window = [0, 0, *size]
    # What lies in the direction of ``away`` is cut off.
    window[axis + 2 if away[axis] > 0 else axis] = line
    x1, y1, x2, y2 = np.clip(window, 0, (*size, *size))
    return (int(x1), int(y1), int(x2), int(y2)) if x2 - x1 > 1 and y2 - y1 > 1 else None
