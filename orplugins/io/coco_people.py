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

from orplugins.io.coco_annotations import read_annotations
from orplugins.io.json_fields import integer, numbers
from orplugins.skeletons import COCO_17

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
        The file's content in COCO's own form, see `orplugins.io.coco_annotations`.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: One line with file, entry, field, found and expected: wrong numbers of values, NaN, unknown or
            duplicate ids, boxes without area, an annotation that lacks what others have.
    """
    data = read_annotations(path, COCO_17.joints, one_category=True).data
    check_labels(data, str(Path(path)))
    return data


def check_labels(data: dict, name: str) -> None:
    """Check what the annotations have beyond COCO's own fields.

    Args:
        data: Content of a file, from `orplugins.io.coco_annotations`.
        name: The file, for the error.

    Raises:
        ValueError: As `load_people`.
    """
    annotations = data["annotations"]
    groups = [group for group in _GROUPS if annotations and any(key in annotations[0] for key in group)]
    for i, person in enumerate(annotations):
        here = f"{name}: annotations[{i}]"
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
