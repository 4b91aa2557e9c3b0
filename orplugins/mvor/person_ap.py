"""Person detection AP as reported for MVOR: pycocotools' box evaluation over every annotated person."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence

import numpy as np

BOX_COLUMNS = ("AP", "AP50", "AP75", "AR1", "AR10", "AR100")
KEYPOINT_BOX_COLUMNS = ("AP50", "recall50@1", "recall50@10")


def boxes_from_keypoints(keypoints: np.ndarray) -> np.ndarray:
    """Boxes around the present joints, as the published "boxes from keypoints" have them.

    Args:
        keypoints: (N, J, 2 or 3) pixels; x = y = 0 is missing.

    Returns:
        (N, 4) int64 [x, y, width, height]: minima and extents, each truncated towards zero. A person without joints has
        a box of zeros.

    Raises:
        ValueError: Another shape.
    """
    keypoints = np.asarray(keypoints, dtype=np.float64)
    if keypoints.ndim != 3 or keypoints.shape[2] < 2:
        raise ValueError(f"keypoints have shape {keypoints.shape}, expected (N, J, 2 or 3)")
    xy = keypoints[..., :2]
    present = (xy != 0).any(axis=-1)
    filled = present.any(axis=1)
    boxes = np.zeros((len(xy), 4), dtype=np.int64)
    low = np.where(present[filled, :, None], xy[filled], np.inf).min(axis=1)
    high = np.where(present[filled, :, None], xy[filled], -np.inf).max(axis=1)
    boxes[filled] = np.trunc(np.concatenate([low, high - low], axis=1))
    return boxes


def person_ap(image_ids: Sequence[int], annotations: Sequence[dict], detections: Sequence[dict]) -> dict[str, float]:
    """Average precision and recall of person boxes (COCO's default parameters), 0..1.

    Annotation ids are used as they are. MVOR's start at 0, and pycocotools takes a match with id 0 for no match: one
    person can never be found, which the published numbers contain.

    Args:
        image_ids: All images, also those without people.
        annotations: Records with `id`, `image_id`, `category_id`, `bbox` [x, y, width, height].
        detections: Records with `image_id`, `category_id`, `bbox`, `score`.

    Returns:
        The usual summary for box detectors (`AP`, `AP50`, `AP75`, `AR1`, `AR10`, `AR100`), and for boxes made from
        keypoints the recall at IoU 0.50 alone with 1 and 10 detections per image (`recall50@1`, `recall50@10`).

    Raises:
        ValueError: No annotation, a detection in an unknown image, or a category id that no annotation has (1 is not
            "1": COCO's code would silently give an AP of 0).
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    if not annotations:
        raise ValueError("no annotated person: AP is not defined")
    categories = {record["category_id"] for record in annotations}
    if len(categories) > 1:
        raise ValueError(f"annotations have the category ids {categories}, expected one category, person")
    known = set(image_ids)
    for i, record in enumerate(detections):
        if record["category_id"] not in categories:
            raise ValueError(
                f"detections[{i}]: 'category_id' is {record['category_id']!r}, expected {next(iter(categories))!r} "
                "as in the annotations"
            )
        if record["image_id"] not in known:
            raise ValueError(f"detections[{i}]: 'image_id' is {record['image_id']}, expected one of {len(known)} ids")
    if not detections:  # pycocotools cannot load an empty list
        return dict.fromkeys((*BOX_COLUMNS, *KEYPOINT_BOX_COLUMNS), 0.0)

    truth = COCO()
    truth.dataset = {
        "images": [{"id": image_id} for image_id in image_ids],
        "annotations": [
            {key: record[key] for key in ("id", "image_id", "category_id", "bbox")}
            | {"iscrowd": 0, "area": record["bbox"][2] * record["bbox"][3]}
            for record in annotations
        ],
        "categories": [{"id": categories.pop(), "name": "person"}],
    }
    results = [{key: record[key] for key in ("image_id", "category_id", "bbox", "score")} for record in detections]
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools reports progress on stdout
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    stats = evaluation.stats
    summary = dict(zip(BOX_COLUMNS, (stats[0], stats[1], stats[2], stats[6], stats[7], stats[8]), strict=True))
    # Axes of the recall: IoU threshold (0 is 0.50), category, area (0 is all), detections per image (1, 10, 100).
    recall = evaluation.eval["recall"][0, 0, 0]
    summary |= {"recall50@1": recall[0], "recall50@10": recall[1]}
    return {key: float(value) for key, value in summary.items()}
