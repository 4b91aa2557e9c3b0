"""COCO-style files of people that ORPose-Color trains and is tested on: labels of a teacher, or annotations with 3D.

A teacher's file has, besides COCO's own fields, in every annotation `keypoints_soft` (51 numbers), `keypoints2d_hard`
and `keypoints2d_soft` (32), `keypoints3d_hard` and `keypoints3d_soft` (48). A test file may have in every annotation
`keypoints2D_camma` (30), `keypoints3D_camma_projected_allkps`, `keypoints3D_camma_projected_true` (40 each) and
`person_id` (-1: no 3D); or, in generated sets, `keypoints_3d` and `h36m_3d` (51 each: X, Y, Z of COCO's and of
Human3.6M's 17 joints in metres in the camera's axes). Everything is checked before anything is made of it.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from orplugins.io.json_fields import entries, field, integer, load_json, numbers, text

LABEL_FIELDS = {"keypoints_soft": 51, "keypoints2d_hard": 32, "keypoints3d_hard": 48, "keypoints2d_soft": 32,
                "keypoints3d_soft": 48}  # fmt: skip
CAMMA_FIELDS = {"keypoints2D_camma": 30, "keypoints3D_camma_projected_true": 40,
                "keypoints3D_camma_projected_allkps": 40}  # fmt: skip
POSE_FIELDS = {"keypoints_3d": 51, "h36m_3d": 51}
_GROUPS = (LABEL_FIELDS, CAMMA_FIELDS, POSE_FIELDS)


def load_people(path: str | os.PathLike) -> dict:
    """Read and check such a file; plain COCO keypoint and box annotations pass too.

    Args:
        path: JSON file.

    Returns:
        The file's content.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: One line with file, entry, field, found and expected: wrong numbers of values, NaN, unknown or
            duplicate ids, boxes without area, an annotation that lacks what others have.
    """
    name, data = str(Path(path)), load_json(path)
    known = set()
    for i, image in enumerate(entries(field(data, "images", name), f"{name}: images")):
        here = f"{name}: images[{i}]"
        text(image, "file_name", here)
        for side in ("width", "height"):
            if integer(image, side, here) <= 0:
                raise ValueError(f"{here}: '{side}' is {image[side]}, expected a positive number of pixels")
        if integer(image, "id", here) in known:
            raise ValueError(f"{here}: 'id' {image['id']} occurs twice, expected ids to be unique")
        known.add(image["id"])
    categories = entries(field(data, "categories", name), f"{name}: categories")
    if len(categories) != 1:
        raise ValueError(f"{name}: 'categories' has {len(categories)} entries, expected one, person")
    category = field(categories[0], "id", f"{name}: categories[0]")
    annotations = entries(field(data, "annotations", name), f"{name}: annotations")
    groups = [group for group in _GROUPS if annotations and any(key in annotations[0] for key in group)]
    ids = set()
    for i, person in enumerate(annotations):
        here = f"{name}: annotations[{i}]"
        if integer(person, "id", here) in ids:
            raise ValueError(f"{here}: 'id' {person['id']} occurs twice, expected ids to be unique")
        ids.add(person["id"])
        if integer(person, "image_id", here) not in known:
            raise ValueError(f"{here}: 'image_id' is {person['image_id']}, expected one of {len(known)} ids of images")
        if field(person, "category_id", here) != category:
            raise ValueError(f"{here}: 'category_id' is {person['category_id']!r}, expected {category!r}")
        _box(person, here)
        if "keypoints" in annotations[0] or "keypoints" in person:
            _keypoints(person, "keypoints", here)
        for group in _GROUPS:
            for key, count in group.items():
                if group in groups or key in person:
                    numbers(person, key, count, here)
        if CAMMA_FIELDS in groups:
            integer(person, "person_id", here)
        if "keypoints_soft" in person:
            confidence = np.array(person["keypoints_soft"][2::3])
            if (confidence < 0).any() or (confidence > 1).any():
                raise ValueError(
                    f"{here}: 'keypoints_soft' has the confidence {confidence.min():g} to "
                    f"{confidence.max():g}, expected 0 to 1"
                )
    return data


def _box(person: dict, here: str) -> None:
    box = numbers(person, "bbox", 4, here)
    if (box[2:] <= 0).any() and not person.get("iscrowd", 0):
        raise ValueError(f"{here}: 'bbox' is {person['bbox']}, expected x, y, width > 0, height > 0")


def _keypoints(person: dict, key: str, here: str) -> None:
    flags = numbers(person, key, 51, here)[2::3]
    if not np.isin(flags, (0, 1, 2)).all():
        raise ValueError(f"{here}: '{key}' has the flags {sorted(set(flags.tolist()))}, expected 0, 1 or 2")
