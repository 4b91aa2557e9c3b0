"""Training pictures of a recording and of generated rooms: enlarged as at inference, then made harder."""

from __future__ import annotations

import numpy as np
from detectron2.config import CfgNode
from detectron2.data import transforms as T

from orplugins.orpose_color.detectron2.mapper import MVORDatasetMapper

NEITHER = -1  # detectron2's class of regions that are no example: not of people, not of background


class Enlarge(T.Augmentation):
    """Resize a picture to the size at which the network sees it, times a random magnification.

    Args:
        size: (width, height).
        scale: (min, max) magnification, drawn logarithmically even.
    """

    def __init__(self, size: tuple[int, int], scale: tuple[float, float] = (0.75, 1.3)):
        self.size, self.scale = size, scale

    def get_transform(self, image: np.ndarray) -> T.Transform:
        """The resize of an image (H, W, 3)."""
        factor = float(np.exp(np.random.uniform(*np.log(self.scale))))
        width, height = (max(1, round(side * factor)) for side in self.size)
        return T.ResizeTransform(image.shape[0], image.shape[1], height, width)


class Colours(T.Augmentation):
    """Change brightness, contrast, saturation and the balance of the channels; add noise.

    Args:
        strength: Greatest relative change.
        noise: Greatest standard deviation of the noise, of 255.
    """

    def __init__(self, strength: float = 0.25, noise: float = 4.0):
        self.strength, self.noise = strength, noise

    def get_transform(self, image: np.ndarray) -> T.Transform:
        """The change, drawn for one image."""
        gain = 1 + np.random.uniform(-self.strength, self.strength, 4)
        balance = 1 + np.random.uniform(-self.strength, self.strength, 3) / 3
        sigma, seed = np.random.uniform(0, self.noise), np.random.randint(2**31)

        def change(picture: np.ndarray) -> np.ndarray:
            values = picture.astype(np.float32) * balance * gain[0]
            values = (values - values.mean()) * gain[1] + values.mean() + 20 * (gain[3] - 1)
            grey = values.mean(-1, keepdims=True)
            values = grey + (values - grey) * gain[2]
            values += np.random.default_rng(seed).normal(0, sigma, picture.shape[:2])[..., None]
            return values.clip(0, 255).astype(np.uint8)

        return T.ColorTransform(change)


class AdaptMapper(MVORDatasetMapper):
    """The student's mapper for adaptation: strong views; crowds are neither people nor background.

    Args:
        cfg: The config, whose order of colours is kept.
        size: (width, height) at which the network sees the pictures.
    """

    def __init__(self, cfg: CfgNode, size: tuple[int, int]):
        super().__init__(**self.from_config(cfg, True))
        flip = T.RandomFlip(prob=0.5, horizontal=True, vertical=False)
        self.augmentations = T.AugmentationList([Enlarge(size), flip, Colours()])

    def people(self, annotations: list[dict]) -> list[dict]:
        """All annotations; crowds get a class that detectron2's heads leave out of their samples."""
        return [{**each, "category_id": NEITHER} if each.get("iscrowd", 0) else each for each in annotations]
