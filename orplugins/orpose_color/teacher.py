"""Labels that a teacher of three stages gives to an image without labels: boxes, joints, and 3D.

The idea is that of Srivastav, Gangi, Padoy, MICCAI 2020: hard labels (confident joints only) and soft ones (all joints
with their confidence), both in 2D and 3D. The paper's thresholds are not published; those here are choices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from orplugins.orpose_color.lifting import LIFTED_COCO_JOINTS, ROW, TARGET, PoseStatistics, kept_rows

Detector = Callable[[list], list]  # images -> (boxes (N, 4) x1 y1 x2 y2, scores (N,)) of each, people only
PoseEstimator = Callable[[list, list], list]  # images, boxes of each -> (N, 17, 3) x, y, confidence of each
Lifter = Callable[[np.ndarray], np.ndarray]  # rows (N, 32) -> targets (N, 48)
Known = tuple[np.ndarray, np.ndarray]  # boxes (N, 4) x1 y1 x2 y2, joints (N, 17, 3) x, y, COCO's visibility
HIDDEN = 0.5  # confidence of a joint whose place is known but which something hides


@dataclass(frozen=True)
class Thresholds:
    """What becomes a label.

    Attributes:
        detection: Minimum score of a box.
        hard: Minimum confidence of a hard joint.
        lift: "all": a person has a hard 3D label if all joints from ears to ankles are hard; "fill": if at least
            `min_hard_joints` of them are.
        min_hard_joints: See `lift`.
    """

    detection: float = 0.7
    hard: float = 0.7
    lift: str = "all"
    min_hard_joints: int = 8

    def __post_init__(self):
        if self.lift not in ("all", "fill"):
            raise ValueError(f"lift policy: found {self.lift!r}, expected 'all' or 'fill'")
        for name in ("detection", "hard"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} threshold: found {getattr(self, name)}, expected 0 to 1")


@dataclass(frozen=True)
class ThreeStageTeacher:
    """A detector, a pose estimator and a lifting network, composed.

    Images are (H, W, 3) uint8 BGR; boxes and joints are in continuous pixels (a pixel's centre is its index + 0.5).

    Attributes:
        detector: Images to boxes and scores of people; None where people are known.
        pose: Images and boxes to joints; None where people are known.
        lifter: Rows to targets.
        statistics: What these are normalised with.
        thresholds: What becomes a label.
    """

    detector: Detector | None
    pose: PoseEstimator | None
    lifter: Lifter
    statistics: PoseStatistics
    thresholds: Thresholds = Thresholds()

    def label(self, images: Sequence[np.ndarray]) -> list[list[dict]]:
        """Label images.

        Args:
            images: (H, W, 3) uint8 BGR each.

        Returns:
            Annotations of each image, in the form of a label file but without ids.
        """
        assert self.detector and self.pose
        images = list(images)
        found = []
        for image, (boxes, scores) in zip(images, self.detector(images), strict=True):
            height, width = image.shape[:2]
            boxes = np.clip(np.asarray(boxes, dtype=np.float64).reshape(-1, 4), 0, (width, height, width, height))
            keep = (np.asarray(scores) >= self.thresholds.detection) & (boxes[:, 2:] - boxes[:, :2] >= 1).all(axis=1)
            found.append((boxes[keep], np.asarray(scores, dtype=np.float64)[keep]))
        poses = self.pose(images, [boxes for boxes, _ in found])
        return [
            self._annotations(boxes, scores, np.asarray(keypoints, dtype=np.float64).reshape(-1, 17, 3))
            for (boxes, scores), keypoints in zip(found, poses, strict=True)
        ]

    def label_known(self, people: Sequence[Known]) -> list[list[dict]]:
        """Label images whose people are known, as those of a generated set are; only the lifter works.

        Hard labels are all joints that are known; in the soft ones a hidden joint has the confidence `HIDDEN`. Who has
        not all joints from ears to ankles has no 3D label.

        Args:
            people: Of each image.

        Returns:
            As `label`.
        """
        annotations = []
        for boxes, joints in people:
            confidence = np.select([joints[..., 2:] >= 2, joints[..., 2:] > 0], [1.0, HIDDEN], 0.0)
            keypoints = np.concatenate([joints[..., :2], confidence], axis=-1)
            annotations.append(self._annotations(boxes, np.ones(len(boxes)), keypoints, joints[..., 2] > 0))
        return annotations

    def _annotations(
        self, boxes: np.ndarray, scores: np.ndarray, keypoints: np.ndarray, known: np.ndarray | None = None
    ) -> list[dict]:
        if len(keypoints) != len(boxes) or not np.isfinite(keypoints).all():
            raise ValueError(f"pose estimator: gave {len(keypoints)} poses for {len(boxes)} boxes, or NaN")
        if not len(boxes):
            return []
        keypoints = np.concatenate([keypoints[..., :2], keypoints[..., 2:].clip(0, 1)], axis=-1)
        hard = keypoints[..., 2] >= self.thresholds.hard if known is None else known
        count = hard[:, LIFTED_COCO_JOINTS].sum(axis=1)
        strict = self.thresholds.lift == "all" or known is not None
        least = len(LIFTED_COCO_JOINTS) if strict else self.thresholds.min_hard_joints
        liftable = (count >= least)[:, None]
        placed = liftable if known is not None else True
        rows = np.round(self.statistics.normalise_row(keypoints), 4)
        targets = np.asarray(self.lifter(rows.astype(np.float32)), dtype=np.float64)
        if rows.shape[1:] != (ROW,) or targets.shape != (len(rows), TARGET) or not np.isfinite(targets).all():
            raise ValueError(f"lifter: gave {targets.shape}, or NaN, expected ({len(rows)}, {TARGET}) numbers")
        # The release's loader moves hard joints by 0.5 as COCO's, but not the soft ones.
        shifted = np.concatenate([keypoints[..., :2] - 0.5, np.full_like(keypoints[..., 2:], 2)], axis=-1)
        columns = {
            "keypoints": np.where(hard[..., None], shifted, 0.0),
            "keypoints_soft": keypoints,
            "keypoints2d_hard": np.where(liftable, rows, 0.0),
            "keypoints3d_hard": np.where(liftable, targets, 0.0),
            "keypoints2d_soft": np.where(placed, rows, 0.0),
            "keypoints3d_soft": np.where(placed, targets, 0.0),
        }
        sizes = boxes[:, 2:] - boxes[:, :2]
        return [
            {
                "category_id": 1,
                "iscrowd": 0,
                "bbox": np.round([*box[:2], *size], 4).tolist(),
                "area": round(float(size.prod()), 4),
                "score": round(float(score), 4),
                "num_keypoints": int(hard[k].sum()),
                **{name: np.round(values[k], 4).ravel().tolist() for name, values in columns.items()},
            }
            for k, (box, size, score) in enumerate(zip(boxes, sizes, scores, strict=True))
        ]


def dropped_rows(annotations: list[dict]) -> int:
    """How many valid rows training will leave out for their sum (`orplugins.orpose_color.lifting.kept_rows`).

    Args:
        annotations: Of a label file.

    Returns:
        The number of rows.
    """
    rows = [person[f"keypoints2d_{kind}"] for person in annotations for kind in ("hard", "soft")]
    labelled = np.array([row for row in rows if any(row)], dtype=np.float32).reshape(-1, ROW)
    return int((~kept_rows(labelled)).sum())
