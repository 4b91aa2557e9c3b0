"""Files of boxes as detectors and pose tools write them, which their fields tell apart.

* COCO objects (``images``, ``annotations``, ``categories``): ours (``boxes.json``, ``poses.json``), annotations, and
  the published ``bbox_detections.json``, whose ``bbox_score`` is a text and whose boxes are x1, y1, x2, y2;
* COCO result lists, with ``file_name``, or with an ``image_id`` that a file of annotations explains or that numbers
  frames;
* predictions of mmdet (``bboxes``, ``labels``, ``scores``) and mmpose (a list of instances) of one image, named after
  it, a folder of them, or a list of them in the order of the frames; mmpose's of a video.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from orplugins.io.json_fields import entries, integer, load_json, number, numbers, text
from orplugins.io.json_fields import field as take
from orplugins.partial_body.box_ap import PARTIAL_BODY_CLASSES

Row = tuple[list[float], float, str]  # box x1, y1, x2, y2; score; label
# Names of categories that are people, whatever else a detector knows.
PEOPLE = frozenset({"person", "people", "persons", "human", "clinician", *PARTIAL_BODY_CLASSES})
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%")


@dataclass
class BoxFile:
    """What a file of boxes says.

    Attributes:
        name: The file.
        frames: Rows by the frame's path as the file has it, or by its number from 1 on.
        sizes: (width, height) by the same, where the file says it.
        suffix: Whether paths have their suffix.
        video: The name of the only video that numbers are of, without suffix; "" if they number all frames.
        problems: One line for each record that is unusable and was left out.
        others: Number of boxes that were left out by the category's name, as those of no person.
    """

    name: str
    frames: dict[str | int, list[Row]] = field(default_factory=dict)
    sizes: dict[str | int, tuple[int, int] | None] = field(default_factory=dict)
    suffix: bool = True
    video: str = ""
    problems: list[str] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)

    @property
    def numbered(self) -> bool:
        """Whether frames are known by numbers."""
        return any(not isinstance(frame, str) for frame in self.frames)


class Choice(NamedTuple):
    """Which boxes of a file are taken.

    Attributes:
        categories: Of these names or ids, as the file has them; None: of people.
        labels: Of these names, too.
    """

    categories: Sequence[str] | None = None
    labels: Sequence[str] = ()


EVERYONE = Choice()


class Wanted:
    """Which boxes are people: of a category in `PEOPLE`, of the only one, or of COCO's id of a person.

    Args:
        choice: What is asked for instead.
        names: Names by id, as far as the file has any.
        person: Id of a person where there are no names: 1 for COCO, 0 for mmdet's labels.
        where: The file, for errors.

    Raises:
        ValueError: It cannot be told which of the names are people.
    """

    def __init__(self, choice: Choice, names: dict[int, str], person: int, where: str):
        self.names, self.person, categories = names, person, choice.categories
        known = {name.lower() for name in names.values()}
        self.chosen = {str(each).lower() for each in categories or ()}
        if categories and names and not self.chosen & (known | set(map(str, names))):
            raise ValueError(f"{where}: has the categories {_some(names)}, expected {', '.join(categories)} among them")
        if not categories and names:
            people = PEOPLE | {label.lower() for label in choice.labels}
            self.chosen = known & people or (known if len(known) == 1 else set())
            if not self.chosen:
                raise ValueError(
                    f"{where}: has the categories {_some(names)}, expected a person; choose with --category"
                )

    def label(self, category: Any) -> str | None:
        """The label of a box of a category, None for one that is not wanted."""
        if category is None:
            return "person"
        key = int(category) if isinstance(category, str) and category.isdigit() else category
        name = self.names.get(key, "person" if key == self.person else str(category))
        wanted = self.chosen or {str(self.person)}
        return name if str(key) in wanted or name.lower() in wanted else None

    def title(self, category: Any) -> str:
        """How a category that is not wanted is called in a message."""
        key = int(category) if isinstance(category, str) and category.isdigit() else category
        return self.names.get(key, f"category {category}") if isinstance(key, int) else f"category {category}"


def _some(names: dict[int, str]) -> str:
    return ", ".join(list(names.values())[:8]) + (", ..." if len(names) > 8 else "")


def read_box_file(
    path: str | os.PathLike, annotations: str | os.PathLike | None = None, choice: Choice = EVERYONE
) -> BoxFile:
    """Read a file of boxes, or a folder of mmdet's or mmpose's predictions.

    Args:
        path: JSON file, or the folder.
        annotations: COCO file whose images have the ids of a result list.
        choice: Which boxes are taken.

    Returns:
        What it says.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: One line with file, field, found and expected.
    """
    found = BoxFile(str(path))
    if Path(path).is_dir():
        files = sorted(Path(path).rglob("*.json"))
        if not files:
            raise FileNotFoundError(f"{path}: no file ending in .json, expected predictions of mmdet or mmpose")
        for file in files:
            _one_image(load_json(file), file.relative_to(path).with_suffix("").as_posix(), found, choice, str(file))
    else:
        data = load_json(path)
        data = data["predictions"] if isinstance(data, dict) and isinstance(data.get("predictions"), list) else data
        if isinstance(data, list) and (not data or isinstance(data[0], dict) and "bbox" in data[0]):
            if any("image_id" in r or "file_name" in r for r in data if isinstance(r, dict)) or not data:
                return _result_list(data, found, annotations, choice)
            if not isinstance(data[0]["bbox"], list) or "keypoints" not in data[0]:
                return _result_list(data, found, annotations, choice)  # which says what is missing
        if annotations:
            raise ValueError(f"{path}: is no result list, annotations of its ids are not expected")
        if isinstance(data, dict) and not {"bboxes", "instance_info"} & data.keys():
            return _coco_object(data, found, choice)
        _predictions(data, found, choice)
    return found


def _coco_object(data: dict, found: BoxFile, choice: Choice) -> BoxFile:
    name = found.name
    images = entries(take(data, "images", name), f"{name}: images")
    names = _names(take(data, "categories", name), f"{name}: categories")
    paths: dict[int, str] = {}
    for k, image in enumerate(images):
        where = f"{name}: images[{k}]"
        file = text(image, "file_name", where)
        if paths.setdefault(integer(image, "id", where), file) is not file:
            raise ValueError(f"{where}: 'id' is {image['id']}, which an earlier image has already")
        found.frames.setdefault(file, [])
    annotations = entries(take(data, "annotations", name), f"{name}: annotations")
    wanted = Wanted(choice, names, 1, name) if annotations else None
    published = any(isinstance(a.get("bbox_score"), str) for a in annotations)
    scored = any("score" in a or "bbox_score" in a for a in annotations)
    for k, annotation in enumerate(annotations):
        where = f"{name}: annotations[{k}]"
        try:
            image_id = integer(annotation, "image_id", where)
            if image_id not in paths:
                raise ValueError(f"{where}: 'image_id' is {image_id}, which no image has")
            assert wanted is not None
            _add(found, paths[image_id], annotation, wanted, where, default=None if scored else 1.0)
        except ValueError as error:
            found.problems.append(str(error))
    for image in images if not published else ():
        if image.get("width") is not None and image.get("height") is not None:
            where = f"{name}: image {image['id']}"
            found.sizes[image["file_name"]] = integer(image, "width", where), integer(image, "height", where)
    return found


def _names(categories: Any, where: str) -> dict[int, str]:
    return {
        integer(c, "id", f"{where}[{k}]"): text(c, "name", f"{where}[{k}]")
        for k, c in enumerate(entries(categories, where))
    }


def _result_list(data: list, found: BoxFile, annotations: str | os.PathLike | None, choice: Choice) -> BoxFile:
    name, records = found.name, entries(data, f"{found.name}: boxes")
    paths, names = _explained(annotations) if annotations else ({}, {})
    wanted = Wanted(choice, names, 1, name)
    unknown: Counter[int] = Counter()
    for k, record in enumerate(records):
        where = f"{name}: boxes[{k}]"
        frame = text(record, "file_name", where) if "file_name" in record else integer(record, "image_id", where)
        if annotations and not isinstance(frame, str):
            if frame not in paths:
                unknown[frame] += 1
                continue
            frame = paths[frame]
        found.frames.setdefault(frame, [])
        try:
            _add(found, frame, record, wanted, where)
        except ValueError as error:
            found.problems.append(str(error))
    if unknown:
        some = ", ".join(map(str, list(unknown)[:3]))
        found.problems.append(
            f"{name}: {sum(unknown.values())} boxes have an 'image_id' that {annotations} does not have: {some}"
        )
    kinds = {isinstance(frame, str) for frame in found.frames}
    if len(kinds) > 1:
        raise ValueError(f"{name}: some records have 'file_name', some only 'image_id': expected the same in all")
    least = min((frame for frame in found.frames if not isinstance(frame, str)), default=1)
    if least < 1:
        raise ValueError(f"{name}: 'image_id' is {least}, expected the frame's number from 1 on, or 'file_name'")
    return found


def _explained(path: str | os.PathLike) -> tuple[dict[int, str], dict[int, str]]:
    """Image names and category names by id."""
    name, data = str(path), load_json(path)
    paths: dict[int, str] = {}
    for k, image in enumerate(entries(take(data, "images", name), f"{name}: images")):
        where = f"{name}: images[{k}]"
        file = text(image, "file_name", where)
        if paths.setdefault(integer(image, "id", where), file) is not file:
            raise ValueError(f"{where}: 'id' {image['id']} occurs twice, expected ids to be unique")
    return paths, _names(data["categories"], f"{name}: categories") if "categories" in data else {}


def _predictions(data: Any, found: BoxFile, choice: Choice) -> None:
    """Predictions of mmdet and mmpose of one image, of a video, or of several images in order."""
    name, stem = found.name, Path(found.name).stem
    first = 0
    if isinstance(data, dict) and "instance_info" in data:  # of mmpose's demo, which counts frames from 1 on
        data, first = data["instance_info"], 1
    if isinstance(data, list) and data and all(isinstance(e, dict) and "frame_id" in e for e in data):
        found.video = stem.removeprefix("results_")
        for k, entry in enumerate(data):
            where = f"{name}: [{k}]"
            frame = integer(entry, "frame_id", where) + 1 - first
            if frame < 1:
                raise ValueError(f"{where}: 'frame_id' is {entry['frame_id']}, expected {first} or more")
            _rows(take(entry, "instances", where), frame, found, choice, f"{where}.instances")
    elif (
        isinstance(data, list)
        and data
        and all(isinstance(e, list) or isinstance(e, dict) and "bboxes" in e for e in data)
    ):
        for k, entry in enumerate(data):
            _rows(entry, k + 1, found, choice, f"{name}: [{k}]")
    else:
        _one_image(data, stem.removeprefix("results_"), found, choice, name)


def _one_image(data: Any, image: str, found: BoxFile, choice: Choice, where: str) -> None:
    found.suffix = False
    _rows(data, image, found, choice, where)


def _rows(data: Any, frame: str | int, found: BoxFile, choice: Choice, where: str) -> None:
    found.frames.setdefault(frame, [])
    if isinstance(data, dict):
        boxes, scores = (take(data, key, where) for key in ("bboxes", "scores"))
        labels = data.get("labels")
        if labels is None and isinstance(boxes, list):
            labels = [0] * len(boxes)
        lengths = {len(each) if isinstance(each, list) else -1 for each in (boxes, scores, labels)}
        if len(lengths) > 1 or -1 in lengths:
            raise ValueError(f"{where}: 'bboxes', 'scores' and 'labels' differ in length, expected lists of the same")
        rows = [{"bbox": b, "score": s, "category_id": c} for b, s, c in zip(boxes, scores, labels or (), strict=True)]
    else:
        rows = [dict(row) for row in entries(data, where)]
    wanted = Wanted(choice, {}, 0, where)
    for k, row in enumerate(rows):
        here = f"{where}[{k}]"
        try:
            box = take(row, "bbox", here)
            row["bbox"] = box[0] if isinstance(box, list) and len(box) == 1 else box
            _add(found, frame, row, wanted, here, corners=True, default=1.0)
        except ValueError as error:
            found.problems.append(str(error))


def _add(
    found: BoxFile,
    frame: str | int,
    record: dict,
    wanted: Wanted,
    where: str,
    corners: bool = False,
    default: float | None = None,
) -> None:
    """Add a record's box to a frame, if it is of a person; `default` is the score where there is none."""
    box = numbers(record, "bbox", 4, where)
    if isinstance(record.get("bbox_score"), str):
        match = _PERCENT.fullmatch(record["bbox_score"])
        if not match:
            raise ValueError(f"{where}: 'bbox_score' is {record['bbox_score']!r}, expected a text such as '83.3%'")
        score, corners = float(match[1]) / 100, True
    elif default is not None and "score" not in record and "bbox_score" not in record:
        score = default
    else:
        score = number(record, "bbox_score" if "bbox_score" in record else "score", where)
    if not corners:
        box[2:] += box[:2]
    if not 0 <= score <= 1:
        raise ValueError(f"{where}: the score is {score}, expected 0 to 1")
    if (box[2:] <= box[:2]).any():
        raise ValueError(f"{where}: 'bbox' is {record['bbox']}: no area")
    category = record.get("category_id")
    if not isinstance(category, int | str | None):
        raise ValueError(f"{where}: 'category_id' is {category!r}, expected a whole number")
    label = wanted.label(category)
    if label is None:
        found.others[wanted.title(category)] += 1
    else:
        found.frames[frame].append((box.tolist(), score, label))
