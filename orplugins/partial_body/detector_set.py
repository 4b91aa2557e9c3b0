"""The detector's COCO sets of patients and users, made from sets that say who a person is."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np

from orplugins.io.atomic import write_json
from orplugins.io.coco_annotations import read_annotations
from orplugins.io.images import image_path
from orplugins.io.json_fields import number, numbers, text
from orplugins.partial_body.box_ap import PARTIAL_BODY_CLASSES

# Everyone at the table who is not the patient treats the patient.
CATEGORY_OF_ROLE = {"patient": 1, "clinician": 2}


def write_detector_set(
    annotations: str | os.PathLike, images: str | os.PathLike, out: str | os.PathLike, split: str = "train"
) -> dict[str, int]:
    """Write ``out/annotations/<split>.json`` with boxes of patients and users.

    A patient's box holds what is under the drape, too (``bbox_full``, where the file has it, within the picture): the
    drape shows where the body is, and the bits of skin beside it that can be seen are no person. A user's box holds
    what is seen.

    The images stay where they are: ``out/images/<split>``, where detectron2 looks for the set, is a link to their
    folder.

    Args:
        annotations: COCO file of the generated operating room, with ``person_role`` and the boxes of what is seen.
        images: Folder that its ``file_name`` are relative to.
        out: Folder of the new set.
        split: The set's name, ``"train"``, ``"val"`` or another of letters, digits and ``_``.

    Returns:
        Number of boxes of each class.

    Raises:
        FileNotFoundError: There is no such file, or an image is missing.
        ValueError: One line with file, field, found and expected; nothing is written then.
    """
    if not re.fullmatch(r"\w+", split):
        raise ValueError(f"split: found {split!r}, expected a name of letters, digits and _")
    name, truth = str(annotations), read_annotations(annotations, images=images).data
    pictures = []
    for k, record in enumerate(truth["images"]):
        here = f"{name}: images[{k}]"
        file = image_path(images, record["file_name"], here)
        if not file.is_file():
            raise FileNotFoundError(f"{file}: no such file, expected the picture of {here}")
        place = file.relative_to(images).as_posix()
        size = {side: record[side] for side in ("width", "height")}
        pictures.append({"id": record["id"], "file_name": f"{split}/{place}", **size})
    boxes = people_boxes(truth, name)
    _link(Path(out) / "images" / split, Path(images))
    write_json(Path(out) / "annotations" / f"{split}.json", {"images": pictures, **boxes})
    found = [box["category_id"] for box in boxes["annotations"]]
    return {category: found.count(k) for k, category in enumerate(PARTIAL_BODY_CLASSES, start=1)}


def people_boxes(truth: dict, name: str) -> dict:
    """The boxes of patients and users that `write_detector_set` describes.

    Args:
        truth: COCO content of the generated operating room.
        name: For errors.

    Returns:
        ``annotations`` and ``categories``.

    Raises:
        ValueError: One line with file, field, found and expected.
    """
    sides = {record["id"]: (record["width"], record["height"]) for record in truth["images"]}
    boxes = [
        _box(person, sides[person["image_id"]], f"{name}: annotations[{k}]", k + 1)
        for k, person in enumerate(truth["annotations"])
    ]
    categories = [{"id": k, "name": category} for k, category in enumerate(PARTIAL_BODY_CLASSES, start=1)]
    return {"annotations": boxes, "categories": categories}


def _link(link: Path, folder: Path) -> None:
    """Make a link to a folder, in the place of an older one."""
    link.parent.mkdir(parents=True, exist_ok=True)
    if link.is_symlink():
        link.unlink()
    elif link.exists():
        raise FileExistsError(f"{link}: is there and no link, expected a place for the link to {folder}")
    link.symlink_to(os.path.relpath(folder.resolve(), link.parent.resolve()), target_is_directory=True)


def _box(person: dict, size: tuple[int, int], here: str, number_of: int) -> dict:
    role = text(person, "person_role", here)
    if role not in CATEGORY_OF_ROLE:
        raise ValueError(f"{here}: 'person_role' is {role!r}, expected one of {', '.join(CATEGORY_OF_ROLE)}")
    box, area = numbers(person, "bbox", 4, here), number(person, "area", here)
    if role == "patient" and "bbox_full" in person:
        x, y, w, h = numbers(person, "bbox_full", 4, here)
        low, high = np.clip([(x, y), (x + w, y + h)], 0, size)
        box, area = np.concatenate([low, high - low]).round(2), float((high - low).prod())
    return {
        "id": number_of,
        "image_id": person["image_id"],
        "category_id": CATEGORY_OF_ROLE[role],
        "bbox": box.tolist(),
        "area": area,
        "iscrowd": 0,
    }
