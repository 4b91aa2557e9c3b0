"""Generated colour pictures: what int8 is calibrated on, and what a model file is scored on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from orplugins.synthetic.export.in_memory import generate

CALIBRATION_SEED, TEST_SEED, TEST_PICTURES = 71, 72, 60
_LONGER = 4 / 3  # of a generated picture's sides


def generated_pictures(count: int, side: int, seed: int) -> tuple[dict, dict[int, np.ndarray]]:
    """Pictures of the generated operating room, three views of every moment, and their truth.

    Args:
        count: How many pictures.
        side: Pixels of the shorter side.
        seed: Of the set.

    Returns:
        A COCO dict, and pictures (H, W, 3) uint8 BGR by image id.
    """
    size = (round(side * _LONGER), side)
    coco, found = generate(-(-count // 3), seed, size=size, views=3, people=(1, 5), color=True)
    pictures = {key: picture[..., ::-1] for key, picture in list(found.items())[:count]}
    for key, name in (("images", "id"), ("annotations", "image_id")):
        coco[key] = [record for record in coco[key] if record[name] in pictures]
    return coco, pictures


def picture_feeds(count: int, side: int, channels: str) -> Iterator[dict[str, np.ndarray]]:
    """Feeds of generated pictures, of the size that the network sees.

    Args:
        count: How many.
        side: Pixels of the shorter side.
        channels: "bgr" or "rgb".
    """
    for picture in generated_pictures(count, side, CALIBRATION_SEED)[1].values():
        ordered = picture if channels == "bgr" else picture[..., ::-1]
        yield {"image": np.ascontiguousarray(ordered.transpose(2, 0, 1)[None], dtype=np.float32)}
