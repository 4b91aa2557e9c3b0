"""The figures of a fine-tuning as an evaluator of detectron2."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from detectron2.data import MetadataCatalog
from detectron2.evaluation import DatasetEvaluator

from orplugins.finetune.scores import keypoint_scores
from orplugins.io.json_fields import load_json


class PeopleScores(DatasetEvaluator):
    """`orplugins.finetune.scores.keypoint_scores` of a whole set, as ``people``.

    Args:
        dataset_name: A registered set with COCO's annotations.
        sigmas: OKS constants of the joints.
    """

    def __init__(self, dataset_name: str, sigmas: Sequence[float]):
        self.dataset_name, self.sigmas = dataset_name, sigmas
        self.reset()

    def reset(self) -> None:
        """Forget what was found."""
        self.found: list[dict] = []

    def process(self, inputs: list[dict], outputs: list[dict]) -> None:
        """Keep the people of a batch."""
        for record, output in zip(inputs, outputs, strict=True):
            people = output["instances"].to("cpu")
            if not people.has("pred_keypoints"):
                continue
            poses = people.pred_keypoints.numpy().astype(float).copy()
            poses[..., :2] -= 0.5  # detectron2 counts from the pixel's corner
            self.found += [
                {"image_id": record["image_id"], "keypoints": pose.ravel().tolist(), "score": float(score)}
                for pose, score in zip(poses, people.scores, strict=True)
            ]

    def evaluate(self) -> OrderedDict:
        """Figures of all pictures."""
        truth = load_json(MetadataCatalog.get(self.dataset_name).json_file)
        return OrderedDict(people=keypoint_scores(truth, self.found, self.sigmas))
