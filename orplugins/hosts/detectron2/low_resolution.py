"""Pictures as a camera of a lower resolution would give them, in their own size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from detectron2.data import transforms as T
from PIL import Image

METHODS = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}


class LowResolution(T.Augmentation):
    """Reduce an image by a factor and enlarge it again; sizes are cut off to whole pixels.

    Args:
        factor: 1 or more, or what draws it.
        method: "bilinear" or "bicubic".

    Raises:
        ValueError: Another factor or method.
    """

    def __init__(self, factor: float | Callable[[], float], method: str = "bilinear"):
        if method not in METHODS:
            raise ValueError(f"DOWN_SAMPLING_METHOD: found {method!r}, expected one of {', '.join(METHODS)}")
        if not callable(factor) and not factor >= 1:
            raise ValueError(f"down-sampling factor: found {factor}, expected 1 or more")
        self.factor, self.method = factor, method

    def get_transform(self, image: np.ndarray) -> T.Transform:
        """The two resizes for an image (H, W, 3)."""
        height, width = image.shape[:2]
        factor = self.factor() if callable(self.factor) else self.factor
        low = max(int(height / factor), 1), max(int(width / factor), 1)
        way = METHODS[self.method]
        return T.TransformList(
            [T.ResizeTransform(height, width, *low, way), T.ResizeTransform(*low, height, width, way)]
        )
