"""What a detector's model file finds in generated pictures, as figures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from orplugins.partial_body.box_ap import PARTIAL_BODY_CLASSES, box_ap
from orplugins.partial_body.detector_set import people_boxes
from orplugins.structures import People
from orplugins.synthetic.pictures import TEST_PICTURES, TEST_SEED, generated_pictures


def detector_scores(model: Callable[[np.ndarray], People], side: int, count: int = TEST_PICTURES) -> dict[str, float]:
    """Figures of a detector of patients and users on generated pictures.

    Args:
        model: Pictures (H, W, 3) uint8 BGR to people with boxes.
        side: Pixels of the pictures' shorter side.
        count: Number of pictures.

    Returns:
        Those of `orplugins.partial_body.box_ap.box_ap` in percent, of the boxes that the model gives; nothing where it
        has other classes.
    """
    coco, pictures = generated_pictures(count, side, TEST_SEED)
    truth = {**coco, **people_boxes(coco, "generated pictures")}
    records: list[dict] = []
    labels: set[str] = set()
    for key, picture in pictures.items():
        people = model(picture)
        if people.boxes is None or people.labels is None or people.scores is None:
            return {}
        labels |= set(people.labels)
        if not labels <= set(PARTIAL_BODY_CLASSES):
            return {}
        for (x1, y1, x2, y2), label, score in zip(people.boxes, people.labels, people.scores, strict=True):
            records.append(
                {
                    "image_id": key,
                    "category_id": 1 + PARTIAL_BODY_CLASSES.index(label),
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "score": float(score),
                }
            )
    return box_ap(truth, records)
