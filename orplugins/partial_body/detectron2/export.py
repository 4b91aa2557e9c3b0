"""The partial-body detector, or another R-CNN that finds people, for `orplugins.export`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from orplugins.deploy.metadata import InputSpec, Metadata, Source
from orplugins.export.traced import TracedPlan
from orplugins.hosts.detectron2.export import TracedRCNN
from orplugins.partial_body.detectron2.detector import PartialBodyDetector, class_names, detector_config
from orplugins.partial_body.generated import detector_scores
from orplugins.partial_body.shipped import least_score_of
from orplugins.synthetic.pictures import picture_feeds


class DetectorPlan(TracedPlan):
    """The export of a detector. Of networks with more classes than people, those of people are kept.

    Args:
        config: A detectron2 config.
        weights: Of the detector.
        least_score: Of a box, which the runtime asks for if it is told nothing; None: 0.4 of the detector that ships,
            0.8 of others. The graph holds boxes from the config's ``MODEL.ROI_HEADS.SCORE_THRESH_TEST`` on.

    Raises:
        FileNotFoundError, ValueError: A file is missing, or is of another network.
    """

    def __init__(self, config: str, weights: str, least_score: float | None = None):
        cfg = detector_config(config)
        detector = PartialBodyDetector(config, weights, cfg.MODEL.ROI_HEADS.SCORE_THRESH_TEST)
        self.module = TracedRCNN(detector.predictor.model)
        self.names = class_names(cfg)
        self.people = [label is not None for label in detector.labels]
        self.least_score = least_score_of(config) if least_score is None else least_score
        self.channels, self.sides = cfg.INPUT.FORMAT.lower(), (cfg.INPUT.MIN_SIZE_TEST, cfg.INPUT.MAX_SIZE_TEST)
        self.examples = {"image": torch.as_tensor(next(self.feeds(1))["image"])}
        super().__init__(("boxes", "scores", "classes"))

    def metadata(self, source: Source, opset: int, precision: str) -> Metadata:
        """What the file says of itself."""
        return Metadata(
            "partial-body-detector",
            InputSpec("color", "uint8", channels=self.channels, options={"sides": list(self.sides)}),
            {
                "type": "boxes",
                "least_score": self.least_score,
                "least_in_graph": self.module.least_score,
                "people": self.people,
            },
            source,
            opset,
            precision,
            classes=self.names,
        )

    def feeds(self, count: int) -> Iterator[dict[str, np.ndarray]]:
        """Generated pictures as the network sees them."""
        yield from picture_feeds(count, self.sides[0], self.channels)

    def score(self, model) -> dict[str, float]:
        """Figures of a model file on generated pictures."""
        return detector_scores(model, self.sides[0])
