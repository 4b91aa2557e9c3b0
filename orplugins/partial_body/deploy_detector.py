"""Boxes of people in colour pictures by a model file of a detector: no host and no torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orplugins.deploy.engines import Engine
from orplugins.deploy.metadata import Metadata
from orplugins.deploy.pose import Pose, check_image, frame_names
from orplugins.deploy.rcnn import PictureInput, from_seen
from orplugins.structures import NO_JOINTS, People


class Detector(Pose):
    """Boxes with the names of their classes, in pixels of the caller's picture.

    Args:
        engine: Runs the file.
        metadata: What it says of itself.

    Attributes:
        least_score: Of a box; can be lowered as far as the file's own limit (``codec.least_in_graph``).
    """

    def __init__(self, engine: Engine, metadata: Metadata):
        super().__init__(engine, metadata)
        self.input = PictureInput(metadata.input, engine.path)
        self.least_score = float(metadata.codec["least_score"])
        self._people = np.array(metadata.codec["people"], dtype=bool)

    def batch(self, images: Sequence[np.ndarray], frames: Sequence[str] | None = None) -> list[People]:
        """People of several images (H, W, 3) uint8 BGR; see `Pose.batch`."""
        images = [check_image(image, self.metadata.input, f"images[{k}]") for k, image in enumerate(images)]
        return [self._boxes(image, name) for image, name in zip(images, frame_names(frames, images), strict=True)]

    def _boxes(self, image: np.ndarray, name: str) -> People:
        seen, feed = self.input(image)
        found = self.engine.run(feed)
        size = image.shape[1::-1]
        # As detectron2 does it: a box that is nothing after clipping to the picture is none.
        boxes = (found["boxes"] * np.tile(from_seen(image, seen), 2).astype(np.float32)).clip(0, np.tile(size, 2))
        real = (boxes[:, 2:] > boxes[:, :2]).all(1)
        keep = real & (found["scores"] > self.least_score) & self._people[found["classes"]]
        return People(
            name,
            np.zeros((int(keep.sum()), 0, 3)),
            NO_JOINTS,
            size=size,
            scores=found["scores"][keep],
            boxes=boxes[keep],
            labels=tuple(self.metadata.classes[k] for k in found["classes"][keep]),
        )
