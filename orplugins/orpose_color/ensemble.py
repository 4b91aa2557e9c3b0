"""The student asked several times about one picture: at several sizes, and about its mirror image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from orplugins.adaptation.fusion import Detections, single_view
from orplugins.deploy.resize import resize
from orplugins.orpose_color.pipeline import network_size
from orplugins.skeletons import COCO_17

if TYPE_CHECKING:
    from orplugins.hosts.detectron2.predictor import Predictor

# Magnification, and whether mirrored.
View = tuple[float, bool]
DIRECT: tuple[View, ...] = ((1.0, False),)
ALL: tuple[View, ...] = tuple((scale, mirrored) for scale in (1.0, 0.8, 1.25) for mirrored in (False, True))


def find_people(
    predict: Predictor,
    picture: np.ndarray,
    size: tuple[int, int] | None = None,
    views: Sequence[View] = DIRECT,
) -> list[Detections]:
    """People that each view of a picture shows.

    Args:
        predict: See `orplugins.orpose_color.pipeline.load_predictor`.
        picture: (H, W, 3) uint8 BGR.
        size: (width, height) that the network sees at magnification 1; None as
            `orplugins.orpose_color.pipeline.network_size`.
        views: Magnification of each view, and whether it is of the mirror image.

    Returns:
        One answer a view, in pixels of the picture (edges at 0 and width), joints' confidence in [0, 1].
    """
    height, width = picture.shape[:2]
    base = network_size((width, height), size, predict.sides)
    found = []
    for scale, mirrored in views:
        seen = max(1, round(base[0] * scale)), max(1, round(base[1] * scale))
        view = resize(picture, seen)
        instances = predict([np.ascontiguousarray(view[:, ::-1]) if mirrored else view])[0]
        boxes = instances.pred_boxes.tensor.numpy().astype(np.float64)
        joints = instances.pred_keypoints.numpy().astype(np.float64)
        if mirrored:
            boxes = np.stack([seen[0] - boxes[:, 2], boxes[:, 1], seen[0] - boxes[:, 0], boxes[:, 3]], -1)
            joints[..., 0] = seen[0] - joints[..., 0]
            joints = joints[:, COCO_17.flip_indices]
        factor = np.array([width / seen[0], height / seen[1]])
        joints = np.concatenate([joints[..., :2] * factor, confidence(joints[..., 2:])], -1)
        found.append(single_view(boxes * np.tile(factor, 2), instances.scores.numpy(), joints))
    return found


def confidence(peaks: np.ndarray, cells: int = 56 * 56) -> np.ndarray:
    """A joint's confidence: 1 + log(peak) / log(cells), 0 for a flat map, 1 for a single cell.

    Args:
        peaks: Highest value of a softmax over a map's cells.
        cells: How many there are.

    Returns:
        Confidences in [0, 1].
    """
    return (1 + np.log(np.maximum(peaks, 1e-9)) / np.log(cells)).clip(0, 1)
