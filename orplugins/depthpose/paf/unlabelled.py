"""Where the maps of a picture say nothing: people whose joints nobody labelled are there all the same."""

from __future__ import annotations

import numpy as np

from orplugins.depthpose.paf.layout import PAF_LIMBS
from orplugins.depthpose.paf.targets import coco_to_openpose18

_MARGIN = 0.1  # of a box's sides: boxes are drawn tightly


def labelled_masks(
    boxes: np.ndarray, visible: np.ndarray, known: np.ndarray, grid_size: tuple[int, int], labelled: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Which cells of the target maps count.

    A joint that the file never labels counts nowhere, nor do its limbs. One that is not labelled of a person does not
    count in this person's box, unless another's labelled joint lies there. The background counts outside the boxes of
    people of whom a joint is not labelled.

    Args:
        boxes: (N, 4) x1, y1, x2, y2 in cells.
        visible: (N, 17) COCO joints that are labelled.
        known: (17,) COCO joints that the file labels.
        grid_size: (width, height) of the maps.
        labelled: (19, h, w) heatmap targets.

    Returns:
        (19, h, w) for the heatmaps, background last, and (38, h, w) for the fields; float32, 0 where nothing is said.
    """
    width, height = grid_size
    visible = np.asarray(visible).reshape(-1, 17) > 0
    joints = _with_neck(visible)
    ever = _with_neck(np.asarray(known, dtype=bool)[None])[0]
    limbs = np.array(PAF_LIMBS)
    heat = np.ones((len(ever) + 1, height, width), np.float32)
    fields = np.ones((len(limbs), height, width), np.float32)
    heat[:-1][~ever] = 0
    fields[~ever[limbs].all(1)] = 0
    for box, has in zip(np.asarray(boxes, dtype=np.float64).reshape(-1, 4), joints, strict=True):
        if has.all():
            continue
        margin = _MARGIN * (box[2:] - box[:2])
        low = np.clip(np.floor(box[:2] - margin), 0, (width, height)).astype(int)
        high = np.clip(np.ceil(box[2:] + margin), 0, (width, height)).astype(int)
        rows, columns = slice(low[1], high[1]), slice(low[0], high[0])
        heat[:-1][~has, rows, columns] = 0
        heat[-1, rows, columns] = 0
        fields[~has[limbs].all(1), rows, columns] = 0
    heat[:-1] = np.maximum(heat[:-1], (np.asarray(labelled)[:-1] > 0.05) & ever[:, None, None])
    return heat, np.repeat(fields, 2, axis=0)


def _with_neck(visible: np.ndarray) -> np.ndarray:
    """(N, 17) COCO joints as (N, 18): the neck is there where both shoulders are."""
    points = np.zeros((*visible.shape, 3))
    points[..., 2] = visible
    return coco_to_openpose18(points)[..., 2] > 0
