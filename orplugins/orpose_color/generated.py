"""What a student's model file finds in generated pictures, as figures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from orplugins.export.scores import people_scores
from orplugins.geometry.pose_error import mpjpe
from orplugins.orpose_color.mpjpe import keypoint_similarity
from orplugins.skeletons import COCO_17
from orplugins.structures import People
from orplugins.synthetic.pictures import TEST_PICTURES, TEST_SEED, generated_pictures

_LEAST_SIMILARITY = 0.5  # less is another person


def student_scores(model: Callable[[np.ndarray], People], side: int, count: int = TEST_PICTURES) -> dict[str, float]:
    """Figures of a student on generated pictures.

    Args:
        model: Pictures (H, W, 3) uint8 BGR to people.
        side: Pixels of the pictures' shorter side.
        count: Number of pictures.

    Returns:
        Those of `orplugins.finetune.scores.keypoint_scores` in percent, and ``MPJPE mm``, the mean error of the 3D
        joints relative to the pelvis, of the people who were found.
    """
    coco, pictures = generated_pictures(count, side, TEST_SEED)
    found = {key: model(picture) for key, picture in pictures.items()}
    return {**people_scores(coco, found, COCO_17), "MPJPE mm": _error_3d(coco, found)}


def _error_3d(coco: dict, found: dict[int, People]) -> float:
    predicted, target = [], []
    for person in coco["annotations"]:
        people = found[person["image_id"]]
        if not len(people) or people.points is None or not person["num_keypoints"]:
            continue
        joints = np.reshape(person["keypoints"], (1, 17, 3))
        x, y, width, height = person["bbox"]
        alike = keypoint_similarity(joints, np.array([[x, y, x + width, y + height]]), people.keypoints)[0]
        if alike.max() < _LEAST_SIMILARITY:
            continue
        truth = np.reshape(person["h36m_3d"], (17, 3))
        predicted.append(people.points[alike.argmax()])
        target.append(truth - truth[:1])
    return 1000 * mpjpe(np.array(predicted), np.array(target)) if predicted else float("nan")
