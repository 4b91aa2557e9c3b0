"""COCO annotation files as all sorts of tools write them, brought to one form.

What exporters leave out is filled in where that changes no number but those that depend on a person's ``area``; what
would change a number (ids that are text or occur twice, an unknown category, sizes that disagree with the images) is
refused by name. COCO's own tools find such things after hours of training, or never.
"""

from __future__ import annotations

import atexit
import codecs
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orplugins.io.images import image_path, image_size
from orplugins.io.json_fields import entries, field, integer, load_json, number, numbers, text
from orplugins.io.pixel_scale import WORDS, detect_scale, known_joints

# What of its box a person fills, in the mean; mmpose takes the same.
AREA_OF_BOX = 0.53
_PERSON = ("person", "people", "human", "persons")
_MOST_OUT = 0.3  # share of boxes beyond their images from which they are looked at
_MOST_SIZES = 2000  # headers that are read before a job starts
_COPIES: dict[tuple, str] = {}
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)


@dataclass(frozen=True)
class Annotations:
    """A file's content in COCO's own form.

    Attributes:
        data: ``images``, ``annotations`` (with id, image_id, category_id, bbox, area, iscrowd and, where joints were
            asked for, keypoints and num_keypoints), ``categories``, and what else the file has.
        notes: One line for each kind of thing that was filled in or left out.
    """

    data: dict
    notes: tuple[str, ...]


def read_annotations(
    path: str | os.PathLike,
    joints: Sequence[str] | str | None = None,
    images: str | os.PathLike | None = None,
    one_category: bool = False,
    sizes: bool = True,
) -> Annotations:
    """Read a COCO file of people.

    Args:
        path: JSON file.
        joints: Names of the joints in order; where some people have keypoints, those without get zeros. "any": as
            many as the first person has. None: keypoints are left as they are.
        images: Folder that ``file_name`` is relative to: names must not lead out of it, sizes that the file lacks are
            read from the images, and the others are compared with them.
        one_category: Keep one category only, the person's, and no run-length masks, which our networks do not use.
        sizes: Images must have a size; evaluation of keypoints needs none.

    Returns:
        The content.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: One line with file, entry, field, found and expected.
    """
    name, data = str(Path(path)), load_json(path)
    notes: Counter[str] = Counter()
    field(data, "categories", name)
    pictures = entries(field(data, "images", name), f"{name}: images")
    known: set[int] = set()
    for i, picture in enumerate(pictures):
        _image(picture, known, images, sizes, f"{name}: images[{i}]", notes)
    people = entries(field(data, "annotations", name), f"{name}: annotations")
    _categories(data, people, joints, one_category, name, notes)
    people, ids = data["annotations"], set()
    if people and all(person.get("id") is None for person in people):
        for number_of, person in enumerate(people, start=1):
            person["id"] = number_of
        notes["ids of annotations were filled in"] += len(people)
    posed = [person["keypoints"] for person in people if isinstance(person.get("keypoints"), list)]
    count = next((len(keypoints) for keypoints in posed if keypoints), 0) if joints else 0
    if count and joints is not None and joints != "any":
        count = 3 * len(joints)
    categories = [category["id"] for category in data["categories"]]
    expected = repr(categories[0]) if len(categories) == 1 else f"one of {categories}"
    for i, person in enumerate(people):
        here = f"{name}: annotations[{i}]"
        if integer(person, "id", here) in ids:
            raise ValueError(f"{here}: 'id' {person['id']} occurs twice, expected ids to be unique")
        ids.add(person["id"])
        if integer(person, "image_id", here) not in known:
            raise ValueError(f"{here}: 'image_id' is {person['image_id']}, expected one of {len(known)} ids of images")
        category = field(person, "category_id", here)
        if type(category) is not int or category not in categories:
            raise ValueError(f"{here}: 'category_id' is {category!r}, expected {expected}")
        _person(person, here, notes)
        if count:
            _keypoints(person, count, here, notes)
        _mask(person, one_category, here, notes)
    if ids and min(ids) < 1:  # COCO's evaluation takes a match with the id 0 for none
        for person in people:
            person["id"] += 1 - min(ids)
        notes["annotation ids count from 1 now"] += 1
    _check_boxes(pictures, people, name)
    if count:
        _check_pixels(people, name)
    if images is not None:
        check_sizes(pictures, images, name)
    return Annotations(data, tuple(f"{name}: {what} ({count})" for what, count in notes.items()))


def _check_boxes(pictures: list[dict], people: list[dict], name: str) -> None:
    """Refuse boxes given by two corners: they would train and score."""
    sizes = {p["id"]: (p["width"], p["height"]) for p in pictures if p.get("width") and p.get("height")}
    boxed = [person for person in people if person["image_id"] in sizes]
    boxes = np.array([[*person["bbox"], *sizes[person["image_id"]]] for person in boxed])
    if len(boxes):
        low, second, size = boxes[:, :2], boxes[:, 2:4], boxes[:, 4:]
        out = (low + second > 1.1 * size).any(1)
        corners = (second > low).all(1) & (second <= 1.02 * size).all(1)
        if out.mean() > _MOST_OUT and corners.mean() > 0.95:
            raise ValueError(
                f"{name}: {out.sum()} of {len(boxes)} boxes reach out of their images: 'bbox' looks like x1, y1, x2, "
                "y2, expected x, y, width, height"
            )


def _check_pixels(people: list[dict], name: str) -> None:
    """Refuse keypoints that are parts of the image."""
    poses = [np.reshape(person["keypoints"], (-1, 3)) for person in people if person.get("keypoints")]
    scale = detect_scale(known_joints(poses))
    if scale:
        raise ValueError(f"{name}: all 'keypoints' are {WORDS[scale]}, expected pixels")


def _image(
    picture: dict, known: set[int], root: str | os.PathLike | None, sizes: bool, here: str, notes: Counter
) -> None:
    plain = text(picture, "file_name", here).replace("\\", "/")
    if plain != picture["file_name"]:
        picture["file_name"] = plain
        notes["backslashes in file names"] += 1
    file = None if root is None else image_path(root, plain, here)
    missing = [side for side in ("width", "height") if picture.get(side) is None]
    if missing and file is not None:
        picture["width"], picture["height"] = image_size(file)[0]
        notes["sizes of images, read from them"] += 1
    for side in ("width", "height") if sizes or not missing else ():
        value = picture.get(side)
        if type(value) is float and value.is_integer():
            picture[side] = int(value)
            notes["sizes of images, written as fractions"] += 1
        if integer(picture, side, here) <= 0:
            raise ValueError(f"{here}: '{side}' is {picture[side]}, expected a positive number of pixels")
    if integer(picture, "id", here) in known:
        raise ValueError(f"{here}: 'id' {picture['id']} occurs twice, expected ids to be unique")
    known.add(picture["id"])


def _categories(
    data: dict, people: list[dict], joints: Sequence[str] | str | None, one_category: bool, name: str, notes: Counter
) -> None:
    categories = entries(field(data, "categories", name), f"{name}: categories")
    ids = [integer(category, "id", f"{name}: categories[{i}]") for i, category in enumerate(categories)]
    if len(set(ids)) < len(ids):
        raise ValueError(f"{name}: 'categories' have the ids {ids}, expected ids to be unique")
    for i, category in enumerate(categories):
        listed = category.get("keypoints")
        if (
            joints not in (None, "any")
            and isinstance(listed, list)
            and listed != list(joints)
            and set(map(str, listed)) == set(joints)
        ):
            raise ValueError(
                f"{name}: categories[{i}]: 'keypoints' are {', '.join(listed)}, expected the order {', '.join(joints)}"
            )
    if one_category and len(categories) == 1 and categories[0].get("name") != "person":
        notes[f"the category {categories[0].get('name')!r} counts as 'person'"] += 1
        categories[0]["name"] = "person"
    if not one_category or len(categories) == 1:
        return
    used = {person.get("category_id") for person in people if type(person.get("category_id")) is int}
    chosen = [c for c in categories if str(c.get("name")).lower() in _PERSON]
    chosen = chosen if len(chosen) == 1 else [c for c in categories if c["id"] in used]
    if len(chosen) != 1 or not all(isinstance(c.get("name"), str) for c in categories):
        raise ValueError(f"{name}: 'categories' has {len(categories)} entries, expected one, person")
    others = set(ids) - {chosen[0]["id"]}
    kept = [p for p in people if not (type(p.get("category_id")) is int and p["category_id"] in others)]
    if len(kept) < len(people):
        notes["annotations of other categories than " + chosen[0]["name"] + " were left out"] += len(people) - len(kept)
    notes["categories that are not the person's were left out"] += len(others)
    data["categories"], data["annotations"] = chosen, kept


def _person(person: dict, here: str, notes: Counter) -> None:
    crowd = person.get("iscrowd")
    if crowd not in (0, 1) or isinstance(crowd, bool):
        if crowd not in (None, False, True):
            raise ValueError(f"{here}: 'iscrowd' is {crowd!r}, expected 0 or 1")
        person["iscrowd"] = int(bool(crowd))
        notes["'iscrowd' was filled in"] += 1
    box = numbers(person, "bbox", 4, here)
    if min(box[2], box[3]) <= 0 and not person["iscrowd"]:
        raise ValueError(f"{here}: 'bbox' is {person['bbox']}, expected x, y, width > 0, height > 0")
    if person.get("area") is None or (person["area"] == 0 and not person["iscrowd"]):
        # Nothing but OKS and the classes of size depend on it.
        person["area"] = AREA_OF_BOX * float(box[2] * box[3])
        notes[f"'area' was filled in, {AREA_OF_BOX} of the box"] += 1
    elif number(person, "area", here) < 0:
        raise ValueError(f"{here}: 'area' is {person['area']}, expected 0 or more")


def _keypoints(person: dict, count: int, here: str, notes: Counter) -> None:
    if person.get("keypoints") in (None, []):
        if person.get("num_keypoints"):
            raise ValueError(f"{here}: 'num_keypoints' is {person['num_keypoints']}, but there are no 'keypoints'")
        person["keypoints"] = [0] * count
        notes["people with boxes only got 'keypoints' of zeros"] += 1
    flags = numbers(person, "keypoints", count, here)[2::3].tolist()
    if not set(flags) <= {0, 1, 2}:
        raise ValueError(f"{here}: 'keypoints' has the flags {sorted(set(flags))}, expected 0, 1 or 2")
    labelled = sum(flag > 0 for flag in flags)
    if person.get("num_keypoints") is None:
        person["num_keypoints"] = labelled
        notes["'num_keypoints' was filled in"] += 1
    elif (integer(person, "num_keypoints", here) > 0) != (labelled > 0):
        raise ValueError(f"{here}: 'num_keypoints' is {person['num_keypoints']}, but {labelled} flags are above 0")


def _mask(person: dict, no_runs: bool, here: str, notes: Counter) -> None:
    """Take away what detectron2 stops at, or leaves the person out for: masks that are none."""
    if person.get("ignore"):
        raise ValueError(f"{here}: 'ignore' is {person['ignore']!r}, expected 0: 'iscrowd' says what does not count")
    mask = person.get("segmentation")
    polygons = isinstance(mask, list) and any(isinstance(p, list) and len(p) >= 6 and not len(p) % 2 for p in mask)
    if "segmentation" in person and not polygons and (no_runs or not (isinstance(mask, dict) and mask)):
        del person["segmentation"]
        notes["masks without a polygon were left out"] += 1
    if "ignore" in person:
        del person["ignore"]
        notes["'ignore' was left out"] += 1


def _check_there(pictures: Sequence[dict], root: str | os.PathLike, name: str) -> None:
    """Refuse a set of which some images are there and others are not; without any it is for looking at labels only."""
    there = [image_path(root, picture["file_name"], name).is_file() for picture in pictures]
    if any(there) and not all(there):
        first = pictures[there.index(False)]["file_name"]
        raise FileNotFoundError(
            f"{name}: {there.count(False)} of {len(there)} images are missing below {root}, the first: {first}"
        )


def check_sizes(pictures: Sequence[dict], root: str | os.PathLike, name: str, skip_broken: bool = False) -> None:
    """Compare the sizes in a file with those of the upright images; of many images some are looked at.

    Args:
        pictures: The file's ``images``, with file_name, width and height. What is not there is not compared.
        root: Folder of the images.
        name: The file, for the error.
        skip_broken: Leave out what is no image; otherwise it is an error.

    Raises:
        FileNotFoundError: Some of the images are missing.
        ValueError: A size disagrees; an EXIF rotation is named as the cause where it is.
    """
    step = max(1, len(pictures) // _MOST_SIZES)
    if not skip_broken:
        _check_there(pictures, root, name)
    for i in range(0, len(pictures), step):
        picture, here = pictures[i], f"{name}: images[{i}]"
        file = image_path(root, picture["file_name"], here)
        if not file.is_file():
            continue
        if not {"width", "height"} <= picture.keys():
            continue
        try:
            size, turned = image_size(file)
        except ValueError:
            if skip_broken:
                continue
            raise
        said = (picture["width"], picture["height"])
        if size == said:
            continue
        if turned and size[::-1] == said:
            raise ValueError(
                f"{here}: 'width' and 'height' are {said[0]}x{said[1]}, the size before the EXIF rotation that {file} "
                f"asks for; images are used upright, expected {size[0]}x{size[1]} and labels in the upright image"
            )
        raise ValueError(
            f"{here}: 'width' and 'height' are {said[0]}x{said[1]}, but {file} has {size[0]}x{size[1]} pixels, "
            "expected the same"
        )


def usable_copy(
    path: str | os.PathLike,
    joints: Sequence[str] | str | None = None,
    images: str | os.PathLike | None = None,
    one_category: bool = False,
    sizes: bool = True,
) -> tuple[str, Annotations]:
    """A file that COCO's own tools read, for hosts that want a file's name.

    Args:
        path: As for `read_annotations`.
        joints: As there.
        images: As there.
        one_category: As there.
        sizes: As there.

    Returns:
        The file itself if nothing had to be filled in; else a copy, which lasts as long as this process. And its
        content.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: As `read_annotations`.
    """
    found = read_annotations(path, joints, images, one_category, sizes)
    with open(path, "rb") as file:
        marked = file.read(4).startswith(_MARKS)
    if not marked and not found.notes:
        return str(path), found
    status = os.stat(path)
    key = (
        os.path.abspath(path),
        status.st_mtime_ns,
        status.st_size,
        tuple(joints or ()),
        one_category,
        str(images),
        sizes,
    )
    if key not in _COPIES or not os.path.exists(_COPIES[key]):
        folder = tempfile.mkdtemp(prefix="orplugins_coco_")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        _COPIES[key] = os.path.join(folder, Path(path).name)
        with open(_COPIES[key], "w", encoding="utf-8") as copy:
            json.dump(found.data, copy)
    return _COPIES[key], found
