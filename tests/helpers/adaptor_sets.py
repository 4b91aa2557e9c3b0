"""A labelled set of drawn people with masks, and a folder of pictures without labels."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from orplugins.skeletons import COCO_17

SIZE = (96, 64)  # width, height


def draw(rng: np.random.Generator, size: tuple[int, int] = SIZE) -> tuple[np.ndarray, list[list[int]]]:
    """A noisy picture with two bright boxes, and these."""
    width, height = size
    picture = rng.integers(0, 60, (height, width, 3), dtype=np.uint8)
    boxes = []
    for left in (4, width // 2):
        x, y = left + int(rng.integers(0, 6)), int(rng.integers(2, 10))
        w, h = int(rng.integers(16, 24)), int(rng.integers(30, 40))
        picture[y : y + h, x : x + w] = rng.integers(120, 255, 3, dtype=np.uint8)
        boxes.append([x, y, w, h])
    return picture, boxes


def labelled_set(folder: Path, count: int = 4, masks: bool = True, size: tuple[int, int] = SIZE) -> Path:
    """Write pictures and a COCO file with boxes, joints and run-length masks; returns the file."""
    rng = np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    images, people = [], []
    for number in range(1, count + 1):
        picture, boxes = draw(rng, size)
        Image.fromarray(picture).save(folder / f"images/{number}.png")
        images.append({"id": number, "file_name": f"{number}.png", "width": size[0], "height": size[1]})
        for x, y, w, h in boxes:
            xs, ys = x + w * rng.random(17), y + h * rng.random(17)
            person = {
                "id": len(people) + 1,
                "image_id": number,
                "category_id": 1,
                "iscrowd": 0,
                "bbox": [x, y, w, h],
                "area": w * h,
                "num_keypoints": 17,
                "keypoints": np.column_stack([xs, ys, np.full(17, 2)]).round(2).ravel().tolist(),
            }
            if masks:
                person["segmentation"] = runs(box_mask((x, y, w, h), size))
            people.append(person)
    category = {"id": 1, "name": "person", "keypoints": list(COCO_17.joints), "skeleton": []}
    file = folder / "people.json"
    file.write_text(json.dumps({"images": images, "annotations": people, "categories": [category]}))
    return file


def box_mask(box: tuple[int, int, int, int], size: tuple[int, int]) -> np.ndarray:
    """(H, W) bool."""
    x, y, w, h = box
    mask = np.zeros(size[::-1], dtype=bool)
    mask[y : y + h, x : x + w] = True
    return mask


def runs(mask: np.ndarray) -> dict:
    """COCO's run lengths, down the columns, zeros first."""
    flat = np.concatenate([[0], mask.T.ravel().astype(np.int8), [0]])
    places = np.flatnonzero(np.diff(flat))
    counts = np.diff(np.concatenate([[0], places, [mask.size]]))
    return {"size": list(mask.shape), "counts": counts.tolist()}


def pictures(folder: Path, count: int = 4, size: tuple[int, int] = SIZE) -> Path:
    """Write pictures without labels; returns the folder."""
    rng = np.random.default_rng(1)
    folder.mkdir(parents=True)
    for number in range(count):
        Image.fromarray(draw(rng, size)[0]).save(folder / f"{number}.png")
    return folder
