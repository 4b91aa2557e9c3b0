"""What a top-down network sees of a box: the crop that mmpose's `GetBBoxCenterScale` and `TopdownAffine` make.

Without rotation the warp treats rows and columns apart. It counts in 32nds of a pixel, as OpenCV's bilinear
``warpAffine`` does, and gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_STEPS, _FINE = 32, 1024  # a pixel's fractions, and the precision in which OpenCV adds up places


def box_extents(boxes: np.ndarray, input_size: tuple[int, int], padding: float = 1.25) -> tuple[np.ndarray, np.ndarray]:
    """Centre and size of what is cut out for boxes.

    Args:
        boxes: (N, 4) x1, y1, x2, y2.
        input_size: (width, height) of the network's input, whose aspect ratio the result has.
        padding: By which boxes are enlarged.

    Returns:
        (N, 2) centres and (N, 2) sizes in frame pixels, float32.
    """
    boxes = np.asarray(boxes, dtype=np.float32).reshape(-1, 4)
    sizes, centres = (boxes[:, 2:] - boxes[:, :2]) * np.float32(padding), (boxes[:, 2:] + boxes[:, :2]) * 0.5
    ratio = input_size[0] / input_size[1]
    width, height = sizes[:, :1], sizes[:, 1:]
    wide = width > height * ratio
    sizes = np.where(wide, np.hstack([width, width / ratio]), np.hstack([height * ratio, height]))
    return centres, sizes.astype(np.float32)


def cut_box(image: np.ndarray, centre: Sequence[float], size: Sequence[float], target: tuple[int, int]) -> np.ndarray:
    """Cut a rectangle out of an image, and bring it to another size; outer pixels' centres meet (UDP).

    Args:
        image: (H, W, C) uint8.
        centre: x, y in pixels.
        size: Width and height of the rectangle, pixels.
        target: (width, height) of the result.

    Returns:
        (h, w, C) uint8; what lies outside the image is 0.
    """
    left, right, weight_left, weight_right = _axis(centre[0], size[0], target[0], image.shape[1], together=False)
    above, below, weight_above, weight_below = _axis(centre[1], size[1], target[1], image.shape[0], together=True)
    rows = image[above].astype(np.int32) * weight_above[:, None, None]
    rows += image[below].astype(np.int32) * weight_below[:, None, None]
    found = rows[:, left] * weight_left[:, None] + rows[:, right] * weight_right[:, None]
    return ((found + _STEPS * _STEPS // 2) // (_STEPS * _STEPS)).astype(np.uint8)


def _axis(centre: float, size: float, target: int, length: int, together: bool):
    """Both neighbours (target,) along an axis and their weights in 32nds, 0 outside.

    OpenCV rounds a row's place at once (`together`), a column's start and steps one by one.
    """
    # The forward matrix in float32, inverted in float64: the order of roundings is the host's, because a rounding error
    # may be another 32nd of a pixel.
    extent = np.float32(size)
    forward = np.float32(target - 1) / extent
    shift = float(forward * (np.float32(-0.5) * (np.float32(centre) * np.float32(2)) + np.float32(0.5) * extent))
    step = 1 / float(forward)
    start, steps = -step * shift, step * np.arange(target)
    places = np.rint((steps + start) * _FINE) if together else np.rint(steps * _FINE) + np.rint(start * _FINE)
    places = places.astype(np.int64)
    fine = (places + _FINE // _STEPS // 2) // (_FINE // _STEPS)
    pixel, part = fine // _STEPS, fine % _STEPS
    first = np.where((pixel >= 0) & (pixel < length), _STEPS - part, 0).astype(np.int32)
    second = np.where((pixel >= -1) & (pixel < length - 1), part, 0).astype(np.int32)
    return np.clip(pixel, 0, length - 1), np.clip(pixel + 1, 0, length - 1), first, second
