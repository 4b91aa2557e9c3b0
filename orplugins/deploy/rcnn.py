"""How a colour picture comes to an R-CNN, and its pixels back to the picture's."""

from __future__ import annotations

import numpy as np

from orplugins.deploy.metadata import InputSpec
from orplugins.deploy.resize import Size, resize, shortest_edge


class PictureInput:
    """The feed of a picture: resized in its proportions, channels in the network's order.

    Args:
        spec: Its ``options["sides"]`` are the shorter side, and the most that the longer one may have; ``size``
            resizes to one size instead.
        path: The model file, for errors.

    Raises:
        ValueError: Neither of the two, or an order of channels that is not known.
    """

    def __init__(self, spec: InputSpec, path: str):
        sides = spec.options.get("sides")
        if spec.size is None and not (isinstance(sides, (list, tuple)) and len(sides) == 2 and min(sides) >= 1):
            raise ValueError(f"{path}: metadata: input.options.sides: found {sides!r}, expected two numbers")
        if spec.channels not in ("bgr", "rgb"):
            raise ValueError(f"{path}: metadata: input.channels: found {spec.channels!r}, expected bgr or rgb")
        self.spec, self.sides = spec, tuple(sides or ())

    def __call__(self, image: np.ndarray) -> tuple[Size, dict[str, np.ndarray]]:
        """The (width, height) that the network sees of a picture (H, W, 3) uint8 BGR, and the feed."""
        height, width = image.shape[:2]
        size = self.spec.size or shortest_edge((width, height), (self.sides[0], self.sides[1]))
        seen = resize(image, size)
        if self.spec.channels == "rgb":
            seen = seen[..., ::-1]
        return size, {"image": np.ascontiguousarray(seen.transpose(2, 0, 1)[None], dtype=np.float32)}


def from_seen(image: np.ndarray, seen: Size) -> np.ndarray:
    """(2,) factors from the pixels that a network saw to those of the picture (H, W, 3)."""
    return np.array(image.shape[1::-1]) / seen
