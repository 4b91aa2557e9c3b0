"""Boxes of detected people, frame by frame: our form, the published ``bbox_detections.json``, and COCO result lists."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orplugins.io.atomic import atomic_write, write_json
from orplugins.io.json_fields import entries, field, integer, load_json, number, numbers, text
from orplugins.partial_body.box_ap import PARTIAL_BODY_CLASSES

_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%")
# The published file says this of every frame, whatever its size.
_PUBLISHED_SIZE = (1280, 720)


@dataclass(frozen=True)
class FrameBoxes:
    """Boxes of one frame.

    Attributes:
        file_name: Last part of the frame's path; "" in a result list that names none.
        size: (width, height), or None where it is not known.
        boxes: (N, 4) x1, y1, x2, y2 in pixels.
        scores: (N,) from 0 to 1.
        labels: N class names.
    """

    file_name: str
    size: tuple[int, int] | None
    boxes: np.ndarray
    scores: np.ndarray
    labels: tuple[str, ...]


def frame_boxes(file_name: str, size: tuple[int, int] | None, rows: Sequence[tuple]) -> FrameBoxes:
    """A frame's boxes from rows.

    Args:
        file_name: Last part of the frame's path.
        size: (width, height), or None where it is not known.
        rows: (box x1, y1, x2, y2, score, label) in any order.

    Returns:
        The boxes, best first.
    """
    rows = sorted(rows, key=lambda row: -row[1])
    return FrameBoxes(
        file_name,
        size,
        np.array([row[0] for row in rows], dtype=np.float64).reshape(-1, 4),
        np.array([row[1] for row in rows], dtype=np.float64),
        tuple(row[2] for row in rows),
    )


def read_boxes(path: str | os.PathLike) -> tuple[list[FrameBoxes], list[str]]:
    """Read boxes of any of the forms, which the fields tell apart.

    * an object with ``images``, ``annotations``, ``categories``: with ``score``, boxes are COCO's x, y, width, height;
      with ``bbox_score``, a text such as ``"83.3%"``, they are the published x1, y1, x2, y2 (and the sizes of the
      frames, which that file does not tell truly, are not taken);
    * a list of COCO result records, with ``file_name``, or with ``image_id`` as the frame's number from 1 on.

    Args:
        path: JSON file.

    Returns:
        Frames in the file's order, also those without boxes; and one line for each record that is unusable (a score
        that is no number, a box of three numbers) and was left out.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is of none of these forms: one line with file, field, found and expected.
    """
    name, data = str(path), load_json(path)
    problems: list[str] = []
    if isinstance(data, list):
        return _from_list(entries(data, f"{name}: boxes"), name, problems), problems
    images = entries(field(data, "images", name), f"{name}: images")
    categories = entries(field(data, "categories", name), f"{name}: categories")
    names = {
        integer(c, "id", f"{name}: categories[{k}]"): text(c, "name", f"{name}: categories[{k}]")
        for k, c in enumerate(categories)
    }
    order: dict[int, dict] = {}
    for k, image in enumerate(images):
        where = f"{name}: images[{k}]"
        text(image, "file_name", where)
        if order.setdefault(integer(image, "id", where), image) is not image:
            raise ValueError(f"{where}: 'id' is {image['id']}, which an earlier image has already")
    rows: dict[int, list] = {image_id: [] for image_id in order}
    annotations = entries(field(data, "annotations", name), f"{name}: annotations")
    published = any("bbox_score" in a for a in annotations) or not all("score" in a for a in annotations)
    for k, annotation in enumerate(annotations):
        where = f"{name}: annotations[{k}]"
        try:
            image_id = integer(annotation, "image_id", where)
            if image_id not in rows:
                raise ValueError(f"{where}: 'image_id' is {image_id}, which no image has")
            rows[image_id].append(_row(annotation, names, where))
        except ValueError as error:
            problems.append(str(error))
    return [
        frame_boxes(Path(image["file_name"]).name, None if published else _size(image, name), rows[image_id])
        for image_id, image in order.items()
    ], problems


def _from_list(records: list[dict], name: str, problems: list[str]) -> list[FrameBoxes]:
    rows: dict[str | int, list] = {}
    for k, record in enumerate(records):
        where = f"{name}: boxes[{k}]"
        by_name = "file_name" in record
        frame = Path(text(record, "file_name", where)).name if by_name else integer(record, "image_id", where)
        frame_rows = rows.setdefault(frame, [])
        try:
            frame_rows.append(_row(record, {1: "person"}, where))
        except ValueError as error:
            problems.append(str(error))
    named = [frame for frame in rows if isinstance(frame, str)]
    if len(named) == len(rows):
        return [frame_boxes(frame, None, rows[frame]) for frame in named]
    if named:
        raise ValueError(f"{name}: some records have 'file_name', some only 'image_id': expected the same in all")
    numbers = [frame for frame in rows if not isinstance(frame, str)]
    if min(numbers) < 1:
        raise ValueError(f"{name}: 'image_id' is {min(numbers)}, expected the frame's number from 1 on, or 'file_name'")
    return [frame_boxes("", None, rows.get(k, [])) for k in range(1, max(numbers) + 1)]


def _row(record: dict, names: dict[int, str], where: str) -> tuple[list[float], float, str]:
    box = numbers(record, "bbox", 4, where)
    label = names.get(record.get("category_id", 1), "person")
    if "bbox_score" in record:
        match = _PERCENT.fullmatch(text(record, "bbox_score", where))
        if not match:
            raise ValueError(f"{where}: 'bbox_score' is {record['bbox_score']!r}, expected a text such as '83.3%'")
        score = float(match[1]) / 100
    else:
        score = number(record, "score", where)
        box[2:] += box[:2]
    if not 0 <= score <= 1:
        raise ValueError(f"{where}: the score is {score}, expected 0 to 1")
    if (box[2:] <= box[:2]).any():
        raise ValueError(f"{where}: 'bbox' is {record['bbox']}: no area")
    return box.tolist(), score, label


def _size(image: dict, name: str) -> tuple[int, int] | None:
    if "width" not in image or "height" not in image:
        return None
    where = f"{name}: image {image['id']}"
    return integer(image, "width", where), integer(image, "height", where)


def write_boxes(path: str | os.PathLike, frames: Sequence[FrameBoxes], classes: Sequence[str] | None = None) -> None:
    """Write boxes as a COCO object: true sizes, x, y, width, height, numeric scores, every class.

    Args:
        path: JSON file.
        frames: In order; image ids count from 1.
        classes: Category names, `orplugins.partial_body.box_ap.PARTIAL_BODY_CLASSES` if None; others that occur are
            added.
    """
    known = list(classes or PARTIAL_BODY_CLASSES)
    known += sorted({label for frame in frames for label in frame.labels} - set(known))
    annotations: list[dict] = []
    for image_id, frame in enumerate(frames, start=1):
        for box, score, label in zip(frame.boxes.tolist(), frame.scores.tolist(), frame.labels, strict=True):
            width, height = box[2] - box[0], box[3] - box[1]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": known.index(label) + 1,
                    "bbox": [box[0], box[1], width, height],
                    "area": width * height,
                    "iscrowd": 0,
                    "score": score,
                }
            )
    images = [
        {
            "id": k,
            "file_name": frame.file_name,
            **({} if frame.size is None else {"width": frame.size[0], "height": frame.size[1]}),
        }
        for k, frame in enumerate(frames, start=1)
    ]
    categories = [{"id": k, "name": name} for k, name in enumerate(known, start=1)]
    write_json(path, {"images": images, "annotations": annotations, "categories": categories})


def write_published_boxes(path: str | os.PathLike, frames: Sequence[FrameBoxes]) -> None:
    """Write ``bbox_detections.json`` as the published first stage does.

    Patients only, x1, y1, x2, y2 as float32, the score as a text in percent, and 1280x720 for the size of any frame.

    Args:
        path: JSON file.
        frames: In order; image ids count from 1.
    """
    import json

    annotations: list[dict] = []
    for image_id, frame in enumerate(frames, start=1):
        for box, score, label in zip(frame.boxes, frame.scores, frame.labels, strict=True):
            if label == PARTIAL_BODY_CLASSES[0]:
                percent = round(float(np.float32(score)) * 100, 2)
                annotations.append(
                    {
                        "id": len(annotations),
                        "image_id": image_id,
                        "bbox": [float(np.float32(v)) for v in box],
                        "category_id": 1,
                        "label": label,
                        "bbox_score": f"{percent}%",
                    }
                )
    width, height = _PUBLISHED_SIZE
    images = [
        {"file_name": Path(frame.file_name).name, "id": k, "height": height, "width": width}
        for k, frame in enumerate(frames, start=1)
    ]
    categories = [
        {
            "id": k,
            "name": name,
            "instances_count": 0,
            "def": "",
            "synonyms": [name],
            "image_count": 0,
            "frequency": "",
            "synset": "",
        }
        for k, name in enumerate(PARTIAL_BODY_CLASSES, start=1)
    ]
    with atomic_write(path) as file:
        file.write(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
