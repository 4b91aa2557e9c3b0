"""MVOR's annotation file in COCO's own form, for readers of COCO files."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from orplugins.io.atomic import write_json
from orplugins.io.json_fields import load_json
from orplugins.mvor.annotations import NUM_JOINTS, load_mvor
from orplugins.skeletons import CAMMA_10

L = TypeVar("L", bound=Any)
_FOLDER = re.compile(r"(^|/)(color|depth)(?=/)")


def is_mvor(path: str | os.PathLike) -> bool:
    """Whether a file is of MVOR's form: its category is the text "1", or its first person has 10 joints unnamed.

    Args:
        path: JSON file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Not JSON.
    """
    data = load_json(path)
    people = data.get("annotations") if isinstance(data, dict) else None
    first = people[0] if isinstance(people, list) and people else None
    if not isinstance(first, dict) or not isinstance(first.get("keypoints"), list):
        return False
    return first.get("category_id") == "1" and len(first["keypoints"]) == 3 * NUM_JOINTS


def read_through(path: str | os.PathLike, modality: str, read: Callable[[Path], L]) -> L:
    """Give a reader of COCO files MVOR's file, or any other.

    Args:
        path: The file.
        modality: See `as_coco_file`.
        read: Returns a dataclass with ``notes``, lines that name the file.

    Returns:
        What ``read`` returns; its notes, and its errors, name ``path``.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: One line with file, entry, field, found and expected.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = as_coco_file(path, folder, modality)
        try:
            found = read(file)
        except (ValueError, FileNotFoundError) as error:
            raise type(error)(str(error).replace(str(file), str(path))) from None
    return replace(found, notes=tuple(note.replace(str(file), str(path)) for note in found.notes))


def as_coco_file(path: str | os.PathLike, folder: str | os.PathLike, modality: str) -> Path:
    """A file that `orplugins.io.coco_annotations` reads.

    Args:
        path: MVOR's file, or any other, which is taken as it is.
        folder: Where a converted file is written, under the same name.
        modality: "depth" or "color": the images that ``file_name`` shall name.

    Returns:
        The file itself, or the converted one: ids from 1 on, one category with the names of CAMMA's joints, people that
        have a box only without joints.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: One line with file, entry, field, found and expected.
    """
    if not is_mvor(path):
        return Path(path)
    truth = load_mvor(path)
    images = [
        {**image, "file_name": _FOLDER.sub(lambda match: match[1] + modality, image["file_name"])}
        for image in truth.images
    ]
    people = []
    for number, person in enumerate(truth.box_persons(), start=1):
        box = {"id": number, "image_id": person["image_id"], "category_id": 1, "iscrowd": 0, "bbox": person["bbox"]}
        if not person.get("only_bbox", 0):
            # A joint at (0, 0) is missing whatever its flag says, and a flag may be above 2.
            rows = zip(*(iter(person["keypoints"]),) * 3, strict=True)
            flat = [(x, y, min(max(int(v), 1), 2)) if (x, y) != (0, 0) else (0.0, 0.0, 0) for x, y, v in rows]
            box["keypoints"] = [value for row in flat for value in row]
        people.append(box)
    people = [person for person in people if min(person["bbox"][2:]) > 0]
    category = {"id": 1, "name": "person", "keypoints": list(CAMMA_10.joints)}
    target = Path(folder) / Path(path).name
    write_json(target, {"images": images, "annotations": people, "categories": [category]})
    return target
