"""What a model file finds on generated frames, as figures."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from orplugins.finetune.scores import keypoint_scores
from orplugins.skeletons import Skeleton
from orplugins.structures import People


def people_scores(coco: dict, found: Mapping[int, People], skeleton: Skeleton) -> dict[str, float]:
    """AP, AP50, recall and PCK of `orplugins.finetune.scores.keypoint_scores`, in percent.

    Args:
        coco: The truth, with images of any size.
        found: Image id -> people, in pixels of the size that they say.
        skeleton: Of both.
    """
    sizes = {image["id"]: np.array([image["width"], image["height"]]) for image in coco["images"]}
    records = []
    for key, people in found.items():
        scale = np.ones(3)
        if people.size is not None:
            scale[:2] = sizes[key] / people.size
        joints = people.filled() * scale
        records += [
            {"image_id": key, "keypoints": joint.ravel().tolist(), "score": float(score)}
            for joint, score in zip(joints, np.asarray(people.scores), strict=True)
        ]
    return keypoint_scores(coco, records, skeleton.sigmas)
