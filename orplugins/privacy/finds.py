"""People that detectors found in one picture, however unsure: the raw material of hiding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

JOINTS = 17  # COCO's


@dataclass(frozen=True, eq=False)
class Finds:
    """The N finds of one picture; one person may be found many times.

    Attributes:
        boxes: (N, 4) x1, y1, x2, y2 in pixels of the picture, whose edges are at 0 and its width or height.
        scores: (N,) in [0, 1].
        joints: (N, 17, 3) COCO-17: x, y (edges as the boxes'), confidence in [0, 1]; NaN where the detector has none.
        passes: (N,) number of the pass (network, scale, mirror image) that found it.
    """

    boxes: np.ndarray
    scores: np.ndarray
    joints: np.ndarray
    passes: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)

    def where(self, keep: np.ndarray) -> Finds:
        """Some of the finds.

        Args:
            keep: A mask (N,), or indices.
        """
        return Finds(self.boxes[keep], self.scores[keep], self.joints[keep], self.passes[keep])

    def record(self) -> list:
        """JSON values, rounded; -1 stands for NaN."""
        joints = np.where(np.isfinite(self.joints), np.round(self.joints, 2), -1.0)
        return [
            [np.round(box, 1).tolist(), round(float(score), 4), [] if (points < 0).all() else points.tolist(), int(n)]
            for box, score, points, n in zip(self.boxes, self.scores, joints, self.passes, strict=True)
        ]


def finds(boxes=(), scores=(), joints=None, number: int = 0) -> Finds:
    """Finds of one pass.

    Args:
        boxes: (N, 4).
        scores: (N,).
        joints: (N, 17, 3), or None.
        number: Of the pass.
    """
    boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    none = np.full((len(boxes), JOINTS, 3), np.nan)
    joints = none if joints is None else np.asarray(joints, dtype=np.float64).reshape(-1, JOINTS, 3)
    return Finds(boxes, np.asarray(scores, dtype=np.float64).reshape(-1), joints, np.full(len(boxes), number))


def from_record(record: list) -> Finds:
    """Finds of what `Finds.record` gave.

    Args:
        record: The JSON values.
    """
    if not record:
        return finds()
    boxes, scores, rows, passes = zip(*record, strict=True)
    joints = np.full((len(record), JOINTS, 3), np.nan)
    for points, row in zip(joints, rows, strict=True):
        if row:
            points[:] = row
    joints[joints[..., 2] < 0] = np.nan
    return Finds(np.array(boxes, dtype=np.float64), np.array(scores, dtype=np.float64), joints, np.array(passes))


def together(several: Sequence[Finds]) -> Finds:
    """All finds of several passes over one picture.

    Args:
        several: Of each pass.
    """
    if not several:
        return finds()
    return Finds(
        np.concatenate([each.boxes for each in several]),
        np.concatenate([each.scores for each in several]),
        np.concatenate([each.joints for each in several]),
        np.concatenate([each.passes for each in several]),
    )
