"""Generated rooms in colour, as small as somebody's recording."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orplugins.deploy.resize import resize
from orplugins.synthetic.export.in_memory import generate

# Pictures that will be as small as a recording's need not be rendered large.
SIZES = ((160, 120), (320, 240))


def small_rooms(count: int, seed: int, size: tuple[int, int]) -> tuple[dict, list[np.ndarray]]:
    """Generate rooms of all kinds.

    Args:
        count: Number of pictures.
        seed: Of the set.
        size: (width, height) of the recording's frames.

    Returns:
        COCO's form of them as they were rendered, and the pictures (H, W, 3) uint8 BGR, no larger than the frames.
    """
    views = 3
    rendered = next((each for each in SIZES if min(each) >= min(size)), SIZES[-1])
    coco, pictures = generate(
        -(-count // views), seed, size=rendered, views=views, people=(0, 6), color=True, variety=("all",)
    )
    coco["images"] = coco["images"][:count]
    factor = min(1.0, min(size) / min(rendered))
    smaller = round(rendered[0] * factor), round(rendered[1] * factor)
    return coco, [resize(pictures[each["id"]][..., ::-1], smaller) for each in coco["images"]]


def boxes_of(coco: dict, pictures: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Boxes in the pixels of pictures that may be smaller than they were rendered.

    Args:
        coco: See `small_rooms`.
        pictures: See there.

    Returns:
        Each picture with its people's boxes (N, 4) x1, y1, x2, y2.
    """
    out = []
    for image, picture in zip(coco["images"], pictures, strict=True):
        boxes = np.array([a["bbox"] for a in coco["annotations"] if a["image_id"] == image["id"]]).reshape(-1, 4)
        boxes = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)
        out.append((np.ascontiguousarray(picture), boxes * picture.shape[1] / image["width"]))
    return out
