"""Label files for a student's adaptation: of a recording's frames by agreement, of generated rooms by their truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from orplugins.adaptation.method import Labelled
from orplugins.io.coco_people import LABEL_FIELDS
from orplugins.skeletons import COCO_17

HARD = 0.3  # least confidence of a hard joint
_SOFT_HIDDEN = 0.5  # confidence of a true joint that nobody can see
_LEAST_SIDE = 1.5  # pixels; smaller people of generated rooms are nothing to learn from


def frame_labels(frames: Sequence[Labelled], root: Path, size: tuple[int, int]) -> dict:
    """Labels of frames in the form of a teacher's file; what is unsure is a crowd.

    Args:
        frames: Their files and labels.
        root: Folder that names are relative to.
        size: (width, height) of all frames.

    Returns:
        The file's content; rows and targets of the lifting network are zeros, which stands for none.
    """
    images, people = [], []
    for number, frame in enumerate(frames, start=1):
        name = frame.path.resolve().relative_to(root).as_posix()
        images.append({"id": number, "file_name": name, "width": size[0], "height": size[1]})
        found = frame.labels.people
        for box, joints, score in zip(found.boxes, found.keypoints, found.scores, strict=True):
            people.append(_person(number, box, size, joints, joints[:, 2] >= HARD, score=float(score)))
        for box in frame.labels.unsure:
            people.append(_person(number, box, size, np.zeros((17, 3)), np.zeros(17, dtype=bool), crowd=1))
    return _file(images, people)


def room_labels(coco: dict, sizes: Sequence[tuple[int, int]]) -> dict:
    """Labels of generated rooms in the same form: seen joints are hard, hidden ones half sure.

    Args:
        coco: The truth, see `orplugins.synthetic.export.annotation_files.coco_file`.
        sizes: (width, height) of each picture, which may be smaller than it was rendered.

    Returns:
        The file's content.
    """
    images, people = [], []
    for image, size in zip(coco["images"], sizes, strict=True):
        factor = size[0] / image["width"]
        images.append({"id": image["id"], "file_name": image["file_name"], "width": size[0], "height": size[1]})
        for person in coco["annotations"]:
            if person["image_id"] != image["id"]:
                continue
            joints = np.reshape(person["keypoints"], (17, 3)).astype(np.float64)
            seen = joints[:, 2] == 2
            soft = np.column_stack([(joints[:, :2] + 0.5) * factor, np.where(seen, 1.0, _SOFT_HIDDEN)])
            soft[joints[:, 2] == 0, 2] = 0
            x, y, w, h = np.array(person["bbox"]) * factor
            if min(w, h) >= _LEAST_SIDE:
                people.append(_person(image["id"], np.array([x, y, x + w, y + h]), size, soft, seen))
    return _file(images, people)


def _person(
    image: int,
    box: np.ndarray,
    size: tuple[int, int],
    joints: np.ndarray,
    hard: np.ndarray,
    score: float = 1.0,
    crowd: int = 0,
) -> dict:
    """An annotation; joints (17, 3) in continuous pixels (a pixel's centre is its index + 0.5)."""
    box = np.clip(box, 0, np.tile(size, 2))
    width, height = np.maximum(box[2:] - box[:2], 0.1)
    # The loader moves hard joints by 0.5 as COCO's, but not the soft ones.
    shifted = np.column_stack([joints[:, :2] - 0.5, np.full(17, 2.0)])
    empty = {name: [0.0] * count for name, count in LABEL_FIELDS.items()}
    return {
        "image_id": image,
        "category_id": 1,
        "iscrowd": crowd,
        "bbox": np.round([box[0], box[1], width, height], 4).tolist(),
        "area": round(float(width * height), 4),
        "score": round(score, 4),
        "num_keypoints": int(hard.sum()),
        "keypoints": np.round(np.where(hard[:, None], shifted, 0.0), 4).ravel().tolist(),
        **empty,
        "keypoints_soft": np.round(joints, 4).ravel().tolist(),
    }


def _file(images: list[dict], people: list[dict]) -> dict:
    category = {
        "id": 1,
        "name": "person",
        "keypoints": list(COCO_17.joints),
        "skeleton": [[a + 1, b + 1] for a, b in COCO_17.limbs],
    }
    annotations = [{"id": number, **person} for number, person in enumerate(people, start=1)]
    return {"images": images, "categories": [category], "annotations": annotations}
