"""A network asked several times about one picture: at several sizes, and about its mirror image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from orplugins.adaptation.fusion import Detections, single_view
from orplugins.deploy.resize import resize, shortest_edge
from orplugins.skeletons import COCO_17

# Magnification, and whether mirrored.
View = tuple[float, bool]


def network_size(
    size: tuple[int, int], wanted: tuple[int, int] | None, sides: tuple[int, int] = (480, 1333)
) -> tuple[int, int]:
    """Size at which the network sees a picture: the wanted one, or one of the same proportions.

    Args:
        size: (width, height) of the picture.
        wanted: (width, height), or None.
        sides: The shorter side, and the most that the longer one may have.

    Returns:
        (width, height).
    """
    return wanted or shortest_edge(size, sides)


def enlarge_mask(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize a mask (H, W) bool to (width, height): every pixel takes its nearest one."""
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(int) for new, old in zip(size[::-1], mask.shape, strict=True)
    )
    return mask[np.ix_(rows, columns)]


def find_in_views(
    predict: Callable[[list[np.ndarray]], Sequence[Any]],
    picture: np.ndarray,
    size: tuple[int, int],
    views: Sequence[View],
) -> list[Detections]:
    """People that each view of a picture shows.

    Args:
        predict: Pictures (H, W, 3) uint8 BGR to detectron2's instances of each.
        picture: (H, W, 3) uint8 BGR.
        size: (width, height) that the network sees at magnification 1.
        views: Magnification of each view, and whether it is of the mirror image.

    Returns:
        One answer a view, in pixels of the picture (edges at 0 and width), joints' confidence in [0, 1].
    """
    height, width = picture.shape[:2]
    found = []
    for scale, mirrored in views:
        seen = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
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
