"""Figures that any pose network's people are scored by on a user's labels, in percent.

Only labelled joints count: COCO's object keypoint similarity (OKS) leaves out the others, and so does PCK here.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence

import numpy as np

PCK_SHARE = 0.1  # of the box's longer side
_LEAST_OKS = 0.1  # less is no match


def keypoint_scores(truth: dict, found: list[dict], sigmas: Sequence[float]) -> dict[str, float]:
    """Scores of people's joints.

    Args:
        truth: COCO annotations with ``keypoints``, ``num_keypoints``, ``area``, ``bbox``.
        found: COCO result records: ``image_id``, ``keypoints`` (x, y, score of each joint; x = y = 0 is not found),
            ``score``.
        sigmas: OKS constants of the joints.

    Returns:
        ``AP`` (mean over OKS 0.5 to 0.95), ``AP50``, ``recall`` (mean over the same) and ``PCK@0.1``: how many labelled
        joints of all people lie within a tenth of the box's longer side of the same joint of the person found with the
        greatest OKS. Nothing where no joint is labelled.
    """
    if not any(person.get("num_keypoints") and not person["iscrowd"] for person in truth["annotations"]):
        return {}
    pck = _pck(truth, found, np.asarray(sigmas))
    if not found:  # which pycocotools cannot read
        return {"AP": 0.0, "AP50": 0.0, "recall": 0.0, "PCK@0.1": pck}
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    category = truth["categories"][0]["id"]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = truth
        coco.createIndex()
        records = [{"category_id": category, **record} for record in found]
        evaluation = COCOeval(coco, coco.loadRes(records), "keypoints")
        evaluation.params.kpt_oks_sigmas = np.asarray(sigmas)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    stats = evaluation.stats
    return {"AP": 100 * stats[0], "AP50": 100 * stats[1], "recall": 100 * stats[5], "PCK@0.1": pck}


def _pck(truth: dict, found: list[dict], sigmas: np.ndarray) -> float:
    poses: dict[int, list] = {}
    for record in found:
        poses.setdefault(record["image_id"], []).append(np.reshape(record["keypoints"], (-1, 3))[:, :2])
    right = total = 0
    for person in truth["annotations"]:
        if person["iscrowd"] or not person.get("num_keypoints"):
            continue
        joints = np.reshape(person["keypoints"], (-1, 3)).astype(np.float64)
        labelled = joints[:, 2] > 0
        total += int(labelled.sum())
        candidates = np.array(poses.get(person["image_id"], []))
        if not len(candidates):
            continue
        distance = np.linalg.norm(candidates - joints[:, :2], axis=-1)
        distance[(candidates == 0).all(-1)] = np.inf
        scale = 2 * max(person["area"], 1.0) * (2 * sigmas) ** 2
        oks = np.exp(-(distance**2) / scale)[:, labelled].mean(1)
        if oks.max() >= _LEAST_OKS:
            limit = PCK_SHARE * max(person["bbox"][2:])
            right += int((distance[oks.argmax()] <= limit)[labelled].sum())
    return 100 * right / max(total, 1)
