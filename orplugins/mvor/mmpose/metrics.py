"""MVOR's published evaluation protocols as mmpose metrics.

Samples have `img_id` and `pred_instances`, whose coordinates are pixels of the annotated 640 x 480 images. A joint that
was not found is exactly (0, 0) with score 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric

from orplugins.io.atomic import write_json
from orplugins.io.coco_results import box_records, keypoint_records
from orplugins.mvor.annotations import load_mvor
from orplugins.mvor.mpjpe import MV3DREG_JOINTS, mv3dreg_errors
from orplugins.mvor.pck import mvor_pck
from orplugins.mvor.person_ap import BOX_COLUMNS, KEYPOINT_BOX_COLUMNS, boxes_from_keypoints, person_ap
from orplugins.registry import METRICS


class _MVORMetric(BaseMetric):
    """Collects one entry per sample and joins them in the order of image ids; every array has one row per person.

    There is an entry also for a sample without people: under several processes mmengine drops the sampler's padding by
    counting entries.
    """

    def __init__(self, ann_file: str, outfile_prefix: str | None = None, **kwargs):
        super().__init__(**kwargs)
        self.truth = load_mvor(ann_file)
        self.outfile_prefix = outfile_prefix

    def _write(self, kind: str, records: list[dict]) -> None:
        if self.outfile_prefix is not None:
            write_json(f"{self.outfile_prefix}.{kind}.json", records)


@METRICS.register_module()
class MVORPCKMetric(_MVORMetric):
    """PCK@0.2 of 2D poses: `PCK/Head`, `Shoulder`, `Hip`, `Elbow`, `Wrist` and `Average`, in percent.

    Samples: `pred_instances` with `keypoints` (N, 17, 2) in COCO's order, `keypoint_scores` (N, 17), `bbox_scores`
    (N,).

    Args:
        ann_file: MVOR's annotation file.
        outfile_prefix: The detections are written to `<outfile_prefix>.keypoints.json` in the form of the published
            files.
        **kwargs: Those of mmengine's BaseMetric.
    """

    default_prefix = "PCK"

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the poses of a batch."""
        self.results += [{"img_id": int(sample["img_id"]), **_poses(sample)} for sample in data_samples]

    def compute_metrics(self, results: list) -> dict:
        """Evaluate the poses of all images."""
        image_ids, poses = _join(results, {"keypoints": (17, 3), "scores": ()})
        self._write("keypoints", keypoint_records(image_ids, poses["keypoints"], poses["scores"]))
        return mvor_pck(*self.truth.keypoint_persons(), image_ids, poses["keypoints"], poses["scores"]).columns


@METRICS.register_module()
class MVORPersonAPMetric(_MVORMetric):
    """AP and recall of person boxes, 0..1.

    Samples: `pred_instances` with `bbox_scores` (N,) and `bboxes` (N, 4; x1, y1, x2, y2), or as for `MVORPCKMetric`.

    Args:
        ann_file: MVOR's annotation file.
        from_keypoints: Make the boxes from the joints and report `AP50`, `recall50@1`, `recall50@10`, as published for
            pose estimators. Otherwise report `AP`, `AP50`, `AP75`, `AR1`, `AR10`, `AR100` of the predicted `bboxes`.
        outfile_prefix: The boxes are written to `<outfile_prefix>.bbox.json` in the form of the published files.
        **kwargs: Those of mmengine's BaseMetric.
    """

    default_prefix = "PersonAP"

    def __init__(self, ann_file: str, from_keypoints: bool = True, **kwargs):
        super().__init__(ann_file=ann_file, **kwargs)
        self.from_keypoints = from_keypoints

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the boxes of a batch."""
        for sample in data_samples:
            if self.from_keypoints:
                poses = _poses(sample)
                entry = {"boxes": boxes_from_keypoints(poses["keypoints"]), "scores": poses["scores"]}
            else:
                corners = _array(sample, "bboxes", (4,))
                boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
                entry = {"boxes": boxes, "scores": _array(sample, "bbox_scores", ())}
            self.results.append({"img_id": int(sample["img_id"]), **entry})

    def compute_metrics(self, results: list) -> dict:
        """Evaluate the boxes of all images."""
        annotations = self.truth.box_persons()
        image_ids, detected = _join(results, {"boxes": (4,), "scores": ()})
        category = annotations[0]["category_id"] if annotations else "1"
        records = box_records(image_ids, detected["boxes"], detected["scores"], category)
        self._write("bbox", records)
        summary = person_ap(self.truth.image_ids, annotations, records)
        return {name: summary[name] for name in (KEYPOINT_BOX_COLUMNS if self.from_keypoints else BOX_COLUMNS)}


@METRICS.register_module()
class MVORMPJPEMetric(BaseMetric):
    """Error of 3D poses in centimetres by the number of supporting views, for instance `MPJPE/3views_Hip`.

    Joints are head, neck, right shoulder, right elbow, left shoulder, left elbow, right wrist, left wrist, right hip,
    left hip, as in the published 3D results, in metres relative to the midpoint of the shoulders. Samples have `img_id`
    and

    - `gt_instances.keypoints_3d` (N, 10, 3),
    - `pred_instances.keypoints_3d` (N, 10, 3), person by person the ones of the ground truth,
    - `pred_instances.support` (N,): in how many views each person was detected. Those with 0 are left out.
    """

    default_prefix = "MPJPE"

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the poses of a batch."""
        for sample in data_samples:
            pose = (MV3DREG_JOINTS, 3)
            self.results.append(
                {
                    "img_id": int(sample["img_id"]),
                    "predicted": _array(sample, "keypoints_3d", pose),
                    "target": _array(sample, "keypoints_3d", pose, "gt_instances"),
                    "support": _array(sample, "support", ()),
                }
            )

    def compute_metrics(self, results: list) -> dict:
        """Evaluate the poses of all samples."""
        pose = (MV3DREG_JOINTS, 3)
        _, poses = _join(results, {"predicted": pose, "target": pose, "support": ()})
        table = mv3dreg_errors(1000 * poses["predicted"], 1000 * poses["target"], poses["support"].astype(int))
        return {
            f"{views}view{'s' if views > 1 else ''}_{name}": value
            for views, errors in table.items()
            for name, value in errors.columns.items()
        }


def _poses(sample: dict) -> dict[str, np.ndarray]:
    """Joints with their scores (N, 17, 3) and scores of the people (N,) of a sample."""
    keypoints, joint_scores = _array(sample, "keypoints", (17, 2)), _array(sample, "keypoint_scores", (17,))
    scores = _array(sample, "bbox_scores", ())
    if not len(keypoints) == len(joint_scores) == len(scores):
        raise ValueError(
            f"image {sample['img_id']}: pred_instances has {len(keypoints)} keypoints, {len(joint_scores)} "
            f"keypoint_scores and {len(scores)} bbox_scores, expected the same number of people"
        )
    return {"keypoints": np.concatenate([keypoints, joint_scores[..., None]], axis=-1), "scores": scores}


def _array(sample: dict, key: str, shape: tuple[int, ...], part: str = "pred_instances") -> np.ndarray:
    """A field of a sample's instances as float64 (N, *shape); an empty field of any shape is no person."""
    if part not in sample or key not in sample[part]:
        raise ValueError(f"image {sample['img_id']}: missing '{part}.{key}', expected shape (N, {shape})")
    value = sample[part][key]
    value = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value, dtype=np.float64)
    if not value.size:
        return np.zeros((0, *shape))
    if value.shape[1:] != shape or not np.isfinite(value).all():
        raise ValueError(
            f"image {sample['img_id']}: '{part}.{key}' has shape {value.shape}, expected finite numbers (N, {shape})"
        )
    return value


def _join(results: list[dict], shapes: dict[str, tuple[int, ...]]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Rows of all samples in the order of image ids: the image id of every row (D,), and the arrays (D, *shape).

    The order must not depend on the number of processes, because equal scores are decided by it.
    """
    results = sorted(results, key=lambda entry: entry["img_id"])
    counts = [len(entry[next(iter(shapes))]) for entry in results]
    image_ids = np.repeat(np.array([entry["img_id"] for entry in results], dtype=np.int64), counts)
    joined = {}
    for key, shape in shapes.items():
        joined[key] = np.concatenate([np.zeros((0, *shape)), *(entry[key] for entry in results)])
    return image_ids, joined
