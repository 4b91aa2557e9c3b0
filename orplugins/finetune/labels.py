"""A user's labelled pictures, checked, in a network's joints or classes, and split in two."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orplugins.finetune.joints import places_of, plain
from orplugins.io.coco_annotations import read_annotations
from orplugins.io.images import image_path, natural_key
from orplugins.io.json_fields import load_json


@dataclass(frozen=True)
class Labels:
    """Labelled pictures.

    Attributes:
        data: ``images``, ``annotations`` and ``categories`` in COCO's form: of people with the network's joints in its
            order (zeros where nobody labelled one), or of boxes with its classes as the ids 1, 2, ...
        known: The network's joints, or classes, that the file has.
        notes: One line for each kind of thing that was filled in or left out.
    """

    data: dict
    known: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def pictures(self) -> int:
        """Number of pictures."""
        return len(self.data["images"])

    @property
    def people(self) -> int:
        """Number of annotations that count."""
        return sum(not person["iscrowd"] for person in self.data["annotations"])

    @property
    def posed(self) -> int:
        """Number of people with a labelled joint."""
        return sum(person.get("num_keypoints", 0) > 0 for person in self.data["annotations"])

    def only(self, pictures: Sequence[dict]) -> Labels:
        """Some of the pictures with their people.

        Args:
            pictures: Entries of ``data["images"]``.
        """
        ids = {picture["id"] for picture in pictures}
        people = [person for person in self.data["annotations"] if person["image_id"] in ids]
        return Labels({**self.data, "images": list(pictures), "annotations": people}, self.known)


def read_poses(path: str | os.PathLike, images: str | os.PathLike, joints: Sequence[str]) -> Labels:
    """Read a COCO file of people, whose joints are found by the names in its category.

    A file without names counts as having the network's joints in its order where it has as many.

    Args:
        path: The file.
        images: Folder that its ``file_name`` are relative to.
        joints: Names of the network's joints.

    Returns:
        The labelled pictures; those without an annotation are left out.

    Raises:
        FileNotFoundError: The file or an image is missing.
        ValueError: One line with file, entry, field, found and expected.
    """
    found = read_annotations(path, _names(path) or "any", images, one_category=True)
    data, notes, name = found.data, list(found.notes), str(Path(path))
    category, people = data["categories"][0], data["annotations"]
    count = next((len(person["keypoints"]) // 3 for person in people if person.get("keypoints")), 0)
    names = category.get("keypoints")
    where = f"{name}: the category's 'keypoints'"
    if isinstance(names, list) and names:
        if count and count != len(names):
            raise ValueError(f"{where} are {len(names)} names, but people have {count} joints, expected as many")
        places, others = places_of(names, joints, where)
        if not count:  # boxes only
            places = [None] * len(joints)
        elif others:
            notes.append(f"{name}: joints that the network does not have were left out: {', '.join(others)}")
    elif count in (0, len(joints)):
        places = list(range(len(joints))) if count else [None] * len(joints)
        notes += [f"{name}: the category names no joints; the {count} are taken in the network's order"] * bool(count)
    else:
        raise ValueError(f"{where} are missing, expected the names of the {count} joints, such as {joints[0]!r}")
    known = tuple(joint for joint, place in zip(joints, places, strict=True) if place is not None)
    if len(known) < len(joints) and known:
        rest = ", ".join(joint for joint in joints if joint not in known)
        notes.append(f"{name}: joints without a label, which are left as they are: {rest}")
    for person in people:
        given = np.reshape(person.get("keypoints") or np.zeros(3 * count), (-1, 3))
        rows = [given[place] if place is not None else np.zeros(3) for place in places]
        pose = [row if row[2] > 0 and not person["iscrowd"] else np.zeros(3) for row in rows]
        person["keypoints"] = [float(value) for row in pose for value in row]
        person["num_keypoints"] = sum(bool(row[2] > 0) for row in pose)
    data["categories"] = [{"id": category["id"], "name": "person", "keypoints": list(joints)}]
    return _labelled(data, known, notes, images, name)


def _names(path: str | os.PathLike) -> list[str]:
    """Names of a file's joints, where one category has them."""
    data = load_json(path)
    categories = data.get("categories") if isinstance(data, dict) else None
    listed = [c["keypoints"] for c in categories or () if isinstance(c, dict) and c.get("keypoints")]
    return [str(name) for name in listed[0]] if len(listed) == 1 and isinstance(listed[0], list) else []


def read_boxes(path: str | os.PathLike, images: str | os.PathLike, classes: Sequence[str]) -> Labels:
    """Read a COCO file of boxes, whose categories are found by name.

    Args:
        path: The file.
        images: Folder that its ``file_name`` are relative to.
        classes: Names of the detector's classes; category ids become 1, 2, ... in this order.

    Returns:
        The labelled pictures; those without an annotation are left out.

    Raises:
        FileNotFoundError: The file or an image is missing.
        ValueError: One line with file, entry, field, found and expected; a class that the file's categories do not
            list: whoever is of it would be learned as background.
    """
    found = read_annotations(path, images=images)
    data, name = found.data, str(Path(path))
    names = {category["id"]: plain(category.get("name")) for category in data["categories"]}
    wrong = sorted(set(names.values()) ^ set(classes)) or len(names) > len(classes)
    if wrong:
        listed = ", ".join(names.values()) or "none"
        raise ValueError(f"{name}: 'categories' are {listed}, expected the detector's classes: {', '.join(classes)}")
    for person in data["annotations"]:
        person["category_id"] = classes.index(names[person["category_id"]]) + 1
        for key in ("segmentation", "keypoints", "num_keypoints"):
            person.pop(key, None)
    data["categories"] = [{"id": k, "name": each} for k, each in enumerate(classes, start=1)]
    return _labelled(data, tuple(classes), list(found.notes), images, name)


def _labelled(data: dict, known: tuple[str, ...], notes: list[str], images: str | os.PathLike, name: str) -> Labels:
    """Keep pictures with people: of one without nobody can say whether it is empty or was not looked at."""
    ids = {person["image_id"] for person in data["annotations"] if not person["iscrowd"]}
    kept = [picture for picture in data["images"] if picture["id"] in ids]
    if not kept:
        raise ValueError(f"{name}: nobody is annotated, expected people to learn from")
    if len(kept) < len(data["images"]):
        notes.append(f"{name}: pictures without an annotation were left out ({len(data['images']) - len(kept)})")
    missing = [p["file_name"] for p in kept if not image_path(images, p["file_name"], name).is_file()]
    if missing:
        raise FileNotFoundError(
            f"{name}: {len(missing)} of {len(kept)} images are missing below {images}, the first: {missing[0]}"
        )
    fields = {key: data[key] for key in ("images", "annotations", "categories")}
    return Labels(Labels(fields, known).only(kept).data, known, tuple(notes))


def split(labels: Labels, share: float, seed: int) -> tuple[Labels, Labels]:
    """Hold some pictures out, at random.

    Args:
        labels: All of them.
        share: How much of the pictures is held out, at least one.
        seed: Another seed gives another split.

    Returns:
        Pictures to train on and pictures held out.

    Raises:
        ValueError: A single picture.
    """
    pictures = sorted(labels.data["images"], key=lambda picture: natural_key(picture["file_name"]))
    if len(pictures) < 2:
        raise ValueError("found 1 labelled picture, expected 2 or more: one is held out to score the network on")
    count = min(max(1, round(share * len(pictures))), len(pictures) - 1)
    posed = {person["image_id"] for person in labels.data["annotations"] if person.get("num_keypoints")}
    order = [pictures[k] for k in np.random.default_rng(seed).permutation(len(pictures))]
    # Joints can only be scored where there are some, and learned: both parts get a picture with joints.
    order.sort(key=lambda picture: picture["id"] not in posed)
    count = max(1, min(count, len(posed) - 1)) if posed else count
    held = {picture["id"] for picture in order[:count]}
    parts = [[p for p in pictures if (p["id"] in held) == wanted] for wanted in (False, True)]
    return labels.only(parts[0]), labels.only(parts[1])
