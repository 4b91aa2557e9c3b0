"""Depth images with their cameras and people in 2D and 3D: the generated operating room's `annotations/coco17.json`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.io.coco_people import load_people
from orplugins.io.images import image_path
from orplugins.io.json_fields import field, numbers

_ANNOTATIONS = "annotations/coco17.json"


@dataclass(frozen=True, eq=False)
class DepthPeople:
    """A depth image and its M people, joints of COCO-17.

    Attributes:
        image_id, name: Of the image.
        depth: Its file.
        camera: Of the file's own size, without pose.
        keypoints: (M, 17, 3) x, y in pixels and 2 seen, 1 hidden, 0 outside the image or unknown.
        points: (M, 17, 3) metres in the camera's axes.
    """

    image_id: int
    name: str
    depth: Path
    camera: Camera
    keypoints: np.ndarray
    points: np.ndarray


def load_depth_people(folder: str | os.PathLike) -> list[DepthPeople]:
    """All images of `FOLDER/annotations/coco17.json` in its order.

    Args:
        folder: The data set.

    Returns:
        One entry per image.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: One line with file, entry, field, found and expected; also where images have no `camera` or people
            no `keypoints_3d`.
    """
    path = Path(folder) / _ANNOTATIONS
    content = load_people(path)
    people: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}
    for i, person in enumerate(content["annotations"]):
        here = f"{path}: annotations[{i}]"
        pixels, metres = (numbers(person, key, 51, here).reshape(17, 3) for key in ("keypoints", "keypoints_3d"))
        people.setdefault(person["image_id"], []).append((pixels, metres))
    frames = []
    for i, image in enumerate(content["images"]):
        here = f"{path}: images[{i}]"
        fx, fy, cx, cy = numbers(field(image, "camera", here), "intrinsics", 4, f"{here}: camera").tolist()
        found = people.get(image["id"], [])
        keypoints, points = (np.array([pair[k] for pair in found]).reshape(-1, 17, 3) for k in (0, 1))
        try:
            pinhole = Camera(fx, fy, cx, cy, size=(image["width"], image["height"]))
        except ValueError as error:
            raise ValueError(f"{here}: camera: {error}") from None
        name = image["file_name"]
        stem = Path(name).with_suffix("").as_posix()
        frames.append(DepthPeople(image["id"], stem, image_path(folder, name, here), pinhole, keypoints, points))
    return frames
