"""Classes of the partial-body detector, and average precision in COCO's and in LVIS's manner."""

from __future__ import annotations

import contextlib
import io

import numpy as np

# Category ids of a file are these positions plus one.
PARTIAL_BODY_CLASSES = ("patient", "user")
# Detections an image that count.
LIMITS = {"coco": 100, "lvis": 300}


def box_ap(truth: dict, detections: list[dict], protocol: str = "coco") -> dict[str, float]:
    """Average precision of boxes, in percent.

    With ``"lvis"``, as the detector's published figure was made, a detection of a category in an image where that
    category is neither annotated nor listed in the image's ``neg_category_ids`` does not count: false alarms there are
    free, and AP can only be higher than COCO's. LVIS's ``not_exhaustive_category_ids`` are not looked at.

    Args:
        truth: COCO annotations.
        detections: COCO result records with xywh boxes.
        protocol: ``"coco"`` (the best 100 detections of a category and image) or ``"lvis"`` (the best 300 of an image).

    Returns:
        ``AP``, ``AP50``, ``AP75`` and ``AP-<category>``; -1 where nothing is annotated.

    Raises:
        ValueError: Another protocol.
    """
    if protocol not in LIMITS:
        raise ValueError(f"box_ap: protocol is {protocol!r}, expected 'coco' or 'lvis'")
    images = [image["id"] for image in truth["images"]]
    if protocol == "lvis":
        detections = _best(detections, LIMITS["lvis"])
    precision = {}
    for category in truth["categories"]:
        judged = _judged_images(truth, category["id"]) if protocol == "lvis" else images
        precision[category["name"]] = _precision(truth, detections, category["id"], judged, LIMITS[protocol])
    table = np.stack(list(precision.values()))
    columns = {"AP": table, "AP50": table[:, :1], "AP75": table[:, 5:6]}
    columns |= {f"AP-{name}": value for name, value in precision.items()}
    return {name: _mean(value) for name, value in columns.items()}


def _precision(truth: dict, detections: list[dict], category: int, images: list[int], limit: int) -> np.ndarray:
    """(10, 101) precision by overlap (0.5 to 0.95) and recall; -1 where nothing is annotated."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    annotations = [
        {"iscrowd": 0, "area": float(a["bbox"][2] * a["bbox"][3]), **a, "id": k}
        for k, a in enumerate(truth["annotations"], start=1)
    ]
    known = set(images)
    detections = [d for d in detections if d["image_id"] in known]
    if not detections:  # which pycocotools cannot read
        return np.full((10, 101), 0.0 if any(a["category_id"] == category for a in annotations) else -1.0)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {**truth, "annotations": annotations}
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(detections), "bbox")
        evaluation.params.imgIds, evaluation.params.catIds = sorted(images), [category]
        evaluation.params.maxDets = [limit]
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation.eval["precision"][:, :, 0, 0, 0]


def _mean(precision: np.ndarray) -> float:
    known = precision[precision > -1]
    return 100 * float(known.mean()) if known.size else -1.0


def _best(detections: list[dict], limit: int) -> list[dict]:
    kept: dict[int, list] = {}
    for record in sorted(detections, key=lambda record: -record["score"]):
        image = kept.setdefault(record["image_id"], [])
        if len(image) < limit:
            image.append(record)
    return [record for image in kept.values() for record in image]


def _judged_images(truth: dict, category: int) -> list[int]:
    annotated = {a["image_id"] for a in truth["annotations"] if a["category_id"] == category}
    absent = {image["id"] for image in truth["images"] if category in image.get("neg_category_ids", ())}
    return sorted(annotated | absent)
