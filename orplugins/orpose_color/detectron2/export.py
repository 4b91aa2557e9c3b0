"""The student as one graph: from a picture to people with their joints in 2D and 3D."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from orplugins.deploy.metadata import InputSpec, Metadata, Source
from orplugins.export.traced import HEAVY, TracedPlan
from orplugins.hosts.detectron2.export import TracedRCNN, at_least_one
from orplugins.hosts.detectron2.predictor import Predictor, read_model_config
from orplugins.orpose_color.decode import decode_batched
from orplugins.orpose_color.detectron2.keypoint_head import StandardKeypoints3DHead
from orplugins.orpose_color.generated import student_scores
from orplugins.skeletons import COCO_17, H36M_17
from orplugins.synthetic.pictures import picture_feeds


class TracedStudent(TracedRCNN):
    """One picture to people; see `TracedRCNN` for arguments.

    The joints are decoded by `orplugins.orpose_color.decode`, whatever the config's ``DECODE`` says: the published way
    is a loop over people.

    Raises:
        ValueError: Another architecture, or no statistics for the 3D poses.
    """

    def __init__(self, model, least_score: float | None = None):
        super().__init__(model, least_score)
        head = getattr(model.roi_heads, "keypoint_head", None)
        if not isinstance(head, StandardKeypoints3DHead):
            raise ValueError(f"found the keypoint head {type(head).__name__}, expected StandardKeypoints3DHead")
        if not head.statistics.known:
            raise ValueError("no joint statistics: expected weights that store them, or those of h36stats.json")

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """People, best first.

        Args:
            image: (1, 3, H, W) values from 0 to 255, channels in the order of the config's ``INPUT.FORMAT``.

        Returns:
            Boxes (N, 4) x1, y1, x2, y2 in pixels, scores (N,), COCO's joints (N, 17, 3) x, y in pixels (a pixel's
            centre is its index + 0.5) with a score, and Human3.6M's joints (N, 17, 3) in metres from the pelvis.
        """
        features, size = self.features(image)
        boxes, scores, _ = self.detections(features, self.proposals(features, size), size)
        head, count = self.model.roi_heads.keypoint_head, boxes.shape[0]
        some = at_least_one(boxes, size)
        hard, soft = head.heatmaps(self.pooled(features, some))
        maps = {"both": (hard + soft) / 2, "hard": hard, "soft": soft}[head.branches]
        joints, hard, soft = decode_batched(torch.cat([maps, hard, soft]), some.repeat(3, 1)).chunk(3)
        _, lifted = head.lift(hard, soft, head.branches)
        return boxes, scores, joints[:count], head.statistics.metres(lifted)[:count]


class StudentPlan(TracedPlan):
    """The export of a student.

    Args:
        config: A detectron2 config with `Keypoints3DROIHeads`.
        weights: Of the student.
        statistics: ``h36stats.json``, where the weights store none.
        least_score: Of a person in the graph; None: the config's ``ORPLUGINS.ORPOSE_COLOR.LEAST_SCORE``.

    Raises:
        FileNotFoundError, ValueError: A file is missing, or is of another network.
    """

    heavy = (*HEAVY, "/keypoint_head/conv_fcn")

    def __init__(self, config: str, weights: str, statistics: str | None = None, least_score: float | None = None):
        options = ["DATASETS.H36_STATS_PATH", str(statistics)] if statistics else []
        predictor = Predictor(read_model_config(str(config), str(weights), "cpu", options), native=True)
        score = predictor.least_score if least_score is None else least_score
        self.module = TracedStudent(predictor.model, score)
        self.channels, self.sides = predictor.cfg.INPUT.FORMAT.lower(), predictor.sides
        self.examples = {"image": torch.as_tensor(next(self.feeds(1))["image"])}
        super().__init__(("boxes", "scores", "keypoints", "keypoints_3d"))

    def metadata(self, source: Source, opset: int, precision: str) -> Metadata:
        """What the file says of itself."""
        return Metadata(
            "orpose-color",
            InputSpec("color", "uint8", channels=self.channels, options={"sides": list(self.sides)}),
            {"type": "orpose-color", "least_score": self.module.least_score},
            source,
            opset,
            precision,
            COCO_17,
            H36M_17,
        )

    def feeds(self, count: int) -> Iterator[dict[str, np.ndarray]]:
        """Generated pictures as the network sees them."""
        yield from picture_feeds(count, self.sides[0], self.channels)

    def score(self, model) -> dict[str, float]:
        """Figures of a model file on generated pictures."""
        return student_scores(model, self.sides[0])
