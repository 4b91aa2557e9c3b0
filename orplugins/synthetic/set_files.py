"""The files of a generated set, read and checked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from orplugins.io.coco_annotations import read_annotations
from orplugins.io.images import image_path, read_image
from orplugins.io.json_fields import entries, field, integer, load_json, number, numbers, text
from orplugins.skeletons import CAMMA_10, COCO_17


def read_set(folder: Path) -> tuple[dict, dict, dict]:
    """Read the annotation files and the parameters of a set.

    Args:
        folder: Of the set.

    Returns:
        Content of the COCO file, of the MVOR file, and of ``parameters.json``.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: One line with file, entry, field, found and expected.
    """
    path = folder / "annotations/coco17.json"
    coco = read_annotations(path, COCO_17.joints).data
    for i, image in enumerate(coco["images"]):
        here = f"{path}: images[{i}]"
        camera = field(image, "camera", here)
        numbers(camera, "pose", 16, f"{here}: camera")
        if numbers(camera, "intrinsics", 4, f"{here}: camera")[0] <= 0:
            raise ValueError(f"{here}: camera: 'intrinsics' has a focal length of 0 or less, expected pixels")
    for i, person in enumerate(coco["annotations"]):
        text(person, "person_role", f"{path}: annotations[{i}]")
        numbers(person, "keypoints_3d", 51, f"{path}: annotations[{i}]")
    if not coco["annotations"]:
        raise ValueError(f"{path}: nobody is annotated, expected people")
    path = folder / "annotations/mvor.json"
    mvor = load_json(path)
    for i, person in enumerate(entries(field(mvor, "annotations", str(path)), f"{path}: annotations")):
        if not field(person, "only_bbox", f"{path}: annotations[{i}]"):
            numbers(person, "keypoints", 3 * CAMMA_10.num_joints, f"{path}: annotations[{i}]")
    return coco, mvor, _parameters(folder / "parameters.json")


def _parameters(path: Path) -> dict:
    found = load_json(path)
    for key in ("frames", "seed", "start", "views", "motion"):
        if integer(found, key, str(path)) < 0:
            raise ValueError(f"{path}: '{key}' is {found[key]}, expected 0 or more")
    numbers(found, "people", 2, str(path))
    field(found, "fixed_cameras", str(path))
    return found


def read_median_depths(folder: Path) -> list[float]:
    """Median depth of each image, in metres, from the notes of the workers; empty where there are none.

    Args:
        folder: Of the set.

    Raises:
        ValueError: As `read_set`.
    """
    return [
        number(view, "median_depth", f"{path}: views")
        for path in sorted((folder / "annotations/frames").glob("*.json"))
        for record in entries(load_json(path), str(path))
        for view in entries(field(record, "views", str(path)), f"{path}: views")
    ]


def read_pictures(folder: Path, most: int) -> Iterator[np.ndarray]:
    """Read colour pictures of a set, spread over all of it.

    Args:
        folder: Of the set.
        most: As many as that.

    Yields:
        (H, W, 3) uint8 BGR; none where the set has no colour.

    Raises:
        FileNotFoundError: A picture is missing.
        ValueError: As `read_set`, or a picture that is none.
    """
    path = folder / "annotations/coco17_color.json"
    if not path.exists():
        return
    images = entries(field(load_json(path), "images", str(path)), f"{path}: images")
    for k in range(0, len(images), max(1, -(-len(images) // most))):
        here = f"{path}: images[{k}]"
        yield read_image(image_path(folder, text(images[k], "file_name", here), here))
