"""People in colour pictures by a model file of the student: no host and no torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orplugins.deploy.engines import Engine
from orplugins.deploy.metadata import Metadata
from orplugins.deploy.pose import Pose, check_image, frame_names
from orplugins.deploy.rcnn import PictureInput, from_seen
from orplugins.structures import People


class ColorPeople(Pose):
    """The student: boxes, COCO's joints, and 3D joints about the pelvis.

    Joints are in pixels of the caller's picture, a pixel's centre being its index. The graph takes one picture a run,
    because pictures differ in size and in how many people there are.

    Args:
        engine: Runs the file.
        metadata: What it says of itself.

    Attributes:
        least_score: Of a person. It can be raised; the file holds nobody below its own.
    """

    def __init__(self, engine: Engine, metadata: Metadata):
        super().__init__(engine, metadata)
        self.input = PictureInput(metadata.input, engine.path)
        self.least_score = float(metadata.codec["least_score"])

    def batch(self, images: Sequence[np.ndarray], frames: Sequence[str] | None = None) -> list[People]:
        """People of several images (H, W, 3) uint8 BGR; see `Pose.batch`."""
        images = [check_image(image, self.metadata.input, f"images[{k}]") for k, image in enumerate(images)]
        return [self._people(image, name) for image, name in zip(images, frame_names(frames, images), strict=True)]

    def _people(self, image: np.ndarray, name: str) -> People:
        seen, feed = self.input(image)
        found = self.engine.run(feed)
        keep = found["scores"] >= self.least_score
        joints = found["keypoints"][keep].astype(np.float64)
        scale = from_seen(image, seen)
        joints[..., :2] = joints[..., :2] * scale - 0.5  # detectron2 counts from the pixel's corner
        return People(
            name,
            joints,
            self.skeleton,
            size=image.shape[1::-1],
            scores=found["scores"][keep],
            boxes=found["boxes"][keep] * np.tile(scale, 2),
            points=found["keypoints_3d"][keep],
            points_skeleton=self.metadata.points_skeleton,
            points_about="root",
        )
