"""The sizes at which networks see colour pictures, and how pictures come to them."""

from __future__ import annotations

import numpy as np

Size = tuple[int, int]


def shortest_edge(size: Size, sides: tuple[int, int]) -> Size:
    """The size of the same proportions whose shorter side is as wanted, rounded as detectron2's `ResizeShortestEdge`.

    Args:
        size: (width, height) of the picture.
        sides: The shorter side, and the most that the longer one may have.

    Returns:
        (width, height), each at least 1.
    """
    scale = sides[0] / min(size)
    width, height = (sides[0], scale * size[1]) if size[0] <= size[1] else (scale * size[0], sides[0])
    if max(width, height) > sides[1]:
        scale = sides[1] / max(width, height)
        width, height = width * scale, height * scale
    return max(1, int(width + 0.5)), max(1, int(height + 0.5))


def resize(picture: np.ndarray, size: Size) -> np.ndarray:
    """Resize a picture by Pillow's bilinear filter, which averages where it reduces: networks learned from such.

    Args:
        picture: (H, W, 3) uint8.
        size: (width, height).

    Returns:
        (height, width, 3) uint8; the picture itself where it has the size.
    """
    if picture.shape[1::-1] == size:
        return picture
    from PIL import Image

    return np.asarray(Image.fromarray(np.ascontiguousarray(picture)).resize(size, Image.Resampling.BILINEAR))
