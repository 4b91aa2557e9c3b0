"""How well the states of joints (visible, occluded, out of view) are told."""

from __future__ import annotations

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmpose.evaluation.metrics import CocoMetric

from orplugins.io.coco_annotations import usable_copy
from orplugins.partial_body.joint_states import confusion, judge
from orplugins.registry import METRICS
from orplugins.skeletons import STATES


@METRICS.register_module()
class JointStateMetric(BaseMetric):
    """Confusion of joint states over all joints of all annotated people.

    The truth is COCO's v of the annotation. The network's state probabilities are taken where it gives them; otherwise
    `orplugins.partial_body.joint_states.judge` goes by score and place.

    Results: ``state/accuracy``, ``state/balanced`` (mean recall of the states that occur), and for every pair
    ``state/<true> as <found>``, the fraction of a true state; all in percent.

    Args:
        unlabelled: ``"out of view"``, or ``"unknown"`` if v = 0 shall not count.
        threshold: Score from which on a joint is visible, for networks without states.
        **kwargs: Those of mmengine's BaseMetric.
    """

    default_prefix = "state"

    def __init__(self, unlabelled: str = "out of view", threshold: float = 0.3, **kwargs):
        super().__init__(**kwargs)
        self.unlabelled, self.threshold = unlabelled, threshold

    def process(self, data_batch, data_samples) -> None:
        """Count the states of a batch."""
        for sample in data_samples:
            found, height_width = sample["pred_instances"], sample["ori_shape"]
            truth = np.array(sample["raw_ann_info"]["keypoints"])[2::3].astype(int)
            if self.unlabelled == "unknown":
                truth = np.where(truth > 0, truth, -1)
            states = judge(
                found["keypoints"],
                found["keypoint_scores"],
                found["bboxes"],
                height_width[::-1],
                self.threshold,
                found.get("keypoint_states"),
            )
            self.results.append(confusion(truth, states[0]))

    def compute_metrics(self, results: list) -> dict:
        """Rates of all samples; the table is logged."""
        counts = np.sum(results, axis=0)
        totals = counts.sum(1)
        rates = counts / np.maximum(totals, 1)[:, None]
        table = "\n".join(
            f"{STATES[k]:>12} {totals[k]:8d} joints  "
            + "  ".join(f"{STATES[j]} {100 * rates[k, j]:5.1f} %" for j in range(3))
            for k in range(3)
        )
        print_log(f"states of joints, true in rows:\n{table}", "current")
        out = {
            "accuracy": 100 * np.trace(counts) / max(counts.sum(), 1),
            "balanced": 100 * np.diag(rates)[totals > 0].mean() if totals.any() else 0.0,
        }
        out |= {f"{STATES[k]} as {STATES[j]}": 100 * rates[k, j] for k in range(3) for j in range(3)}
        return {name: float(value) for name, value in out.items()}


@METRICS.register_module()
class PeopleCocoMetric(CocoMetric):
    """mmpose's `CocoMetric`, for files that lack what COCO's evaluation needs (`orplugins.io.coco_annotations`).

    Args:
        ann_file: COCO annotations; None takes the test set's.
        **kwargs: Those of `mmpose.evaluation.metrics.CocoMetric`.

    Raises:
        ValueError: A file that cannot be completed without changing a number.
    """

    def __init__(self, ann_file: str | None = None, **kwargs):
        if ann_file is not None and "://" not in ann_file:
            ann_file = usable_copy(ann_file, "any", sizes=False)[0]
        super().__init__(ann_file=ann_file, **kwargs)
