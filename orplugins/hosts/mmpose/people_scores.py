"""The figures of a fine-tuning as a metric of mmpose, for people found in crops and in whole pictures alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric

from orplugins.finetune.scores import keypoint_scores
from orplugins.io.json_fields import load_json
from orplugins.registry import METRICS


@METRICS.register_module()
class PeopleScores(BaseMetric):
    """`orplugins.finetune.scores.keypoint_scores` of a whole set.

    Samples: ``img_id`` and ``pred_instances`` with ``keypoints`` (N, K, 2) and ``keypoint_scores`` (N, K), and
    ``bbox_scores`` (N,) where people have scores of their own; others have the mean of their joints'.

    Args:
        ann_file: Annotations in COCO's form that lack nothing.
        **kwargs: Those of mmengine's BaseMetric.
    """

    default_prefix = "people"

    def __init__(self, ann_file: str, **kwargs):
        super().__init__(**kwargs)
        self.truth = load_json(ann_file)

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the people of a batch."""
        for sample in data_samples:
            people = sample["pred_instances"]
            scores = people.get("bbox_scores", None)
            self.results.append(
                (
                    int(sample["img_id"]),
                    np.concatenate([people["keypoints"], people["keypoint_scores"][..., None]], -1),
                    np.asarray(people["keypoint_scores"]).mean(-1) if scores is None else np.asarray(scores),
                )
            )

    def compute_metrics(self, results: list) -> dict:
        """Figures of all pictures."""
        found = [
            {"image_id": image, "keypoints": pose.ravel().astype(float).tolist(), "score": float(score)}
            for image, poses, scores in results
            for pose, score in zip(poses, scores, strict=True)
        ]
        return keypoint_scores(self.truth, found, self.dataset_meta["sigmas"])
