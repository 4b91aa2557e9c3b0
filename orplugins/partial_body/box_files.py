"""Boxes of detected people, frame by frame: our form, the published ``bbox_detections.json``, and COCO result lists."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from orplugins.io.atomic import atomic_write, write_json
from orplugins.partial_body.box_ap import PARTIAL_BODY_CLASSES
from orplugins.partial_body.box_forms import read_box_file

_MOST_FRAMES = 100_000
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
        source: The frame's path as a file has it.
    """

    file_name: str
    size: tuple[int, int] | None
    boxes: np.ndarray
    scores: np.ndarray
    labels: tuple[str, ...]
    source: str = ""


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
    """Read boxes of any of the forms that `orplugins.partial_body.box_forms` knows.

    Args:
        path: JSON file.

    Returns:
        Frames in the file's order, also those without boxes (a result list that numbers its frames: all up to the last
        one); and one line for each record that is unusable (a score that is no number, a box of three numbers) and was
        left out.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is of none of these forms: one line with file, field, found and expected.
    """
    found = read_box_file(path)
    if not found.numbered:
        frames = [
            replace(frame_boxes(Path(str(k).replace("\\", "/")).name, found.sizes.get(k), rows), source=str(k))
            for k, rows in found.frames.items()
        ]
        return frames, found.problems
    last = max(k for k in found.frames if not isinstance(k, str))
    if last > _MOST_FRAMES:
        raise ValueError(f"{path}: 'image_id' goes up to {last}, expected numbers of frames up to {_MOST_FRAMES}")
    return [frame_boxes("", None, found.frames.get(k, [])) for k in range(1, last + 1)], found.problems


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
