"""The detector's COCO sets of patients and users, made from sets that say who a person is."""

from __future__ import annotations

import os
from pathlib import Path

from orplugins.io.atomic import write_json
from orplugins.io.json_fields import entries, field, integer, load_json, number, numbers, text
from orplugins.partial_body.box_ap import PARTIAL_BODY_CLASSES

# Everyone at the table who is not the patient treats the patient.
CATEGORY_OF_ROLE = {"patient": 1, "clinician": 2}


def write_detector_set(
    annotations: str | os.PathLike, images: str | os.PathLike, out: str | os.PathLike, split: str = "train"
) -> dict[str, int]:
    """Write ``out/annotations/<split>.json`` with boxes of patients and users.

    The images stay where they are: file names lead to them from ``out/images``, where detectron2 looks for the set.

    Args:
        annotations: COCO file of the generated operating room, with ``person_role`` and the boxes of what is seen.
        images: Folder that its ``file_name`` are relative to.
        out: Folder of the new set.
        split: ``"train"`` or ``"val"``.

    Returns:
        Number of boxes of each class.

    Raises:
        FileNotFoundError: There is no such file, or an image is missing.
        ValueError: One line with file, field, found and expected; nothing is written then.
    """
    name, truth = str(annotations), load_json(annotations)
    start = os.path.relpath(Path(images).resolve(), (Path(out) / "images").resolve())
    pictures = []
    for k, record in enumerate(entries(field(truth, "images", name), f"{name}: images")):
        here = f"{name}: images[{k}]"
        file = Path(images) / text(record, "file_name", here)
        if not file.is_file():
            raise FileNotFoundError(f"{file}: no such file, expected the picture of {here}")
        pictures.append(
            {
                "id": integer(record, "id", here),
                "file_name": Path(start, record["file_name"]).as_posix(),
                "width": integer(record, "width", here),
                "height": integer(record, "height", here),
            }
        )
    boxes = [
        _box(person, f"{name}: annotations[{k}]", k + 1)
        for k, person in enumerate(entries(field(truth, "annotations", name), f"{name}: annotations"))
    ]
    (Path(out) / "images").mkdir(parents=True, exist_ok=True)  # a path through it wants it to be there
    categories = [{"id": k, "name": category} for k, category in enumerate(PARTIAL_BODY_CLASSES, start=1)]
    write_json(
        Path(out) / "annotations" / f"{split}.json",
        {"images": pictures, "annotations": boxes, "categories": categories},
    )
    found = [box["category_id"] for box in boxes]
    return {category: found.count(k) for k, category in enumerate(PARTIAL_BODY_CLASSES, start=1)}


def _box(person: dict, here: str, number_of: int) -> dict:
    role = text(person, "person_role", here)
    if role not in CATEGORY_OF_ROLE:
        raise ValueError(f"{here}: 'person_role' is {role!r}, expected one of {', '.join(CATEGORY_OF_ROLE)}")
    return {
        "id": number_of,
        "image_id": integer(person, "image_id", here),
        "category_id": CATEGORY_OF_ROLE[role],
        "bbox": numbers(person, "bbox", 4, here).tolist(),
        "area": number(person, "area", here),
        "iscrowd": 0,
    }
