"""2D poses in COCO's forms: result lists, annotation files, and our own tools' files, which are of these forms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from orplugins.io.json_fields import entries, field, integer, load_json, number, numbers, text
from orplugins.skeletons import (
    BODY_25,
    CAMMA_10,
    COCO_17,
    ITOP_15,
    OPENPOSE_18,
    PATIENT_21,
    PATIENT_22,
    SKELETONS,
    USER_6,
    Skeleton,
)
from orplugins.structures import Poses2D

# A result list does not name its joints: the one set of each size that detectors write such lists of.
BY_COUNT = {
    skeleton.num_joints: skeleton
    for skeleton in (COCO_17, OPENPOSE_18, BODY_25, CAMMA_10, ITOP_15, PATIENT_22, PATIENT_21, USER_6)
}


def named_skeleton(joints: Sequence[str], where: str) -> Skeleton:
    """Return the project's joint set of these names.

    Args:
        joints: Names in order; spaces and capitals do not count.
        where: File and field, for the error.

    Raises:
        ValueError: No joint set has these names in this order.
    """
    names = tuple("_".join(str(joint).lower().split()).replace("-", "_") for joint in joints)
    for skeleton in SKELETONS.values():
        if skeleton.joints == names:
            return skeleton
    same = next((s.name for s in SKELETONS.values() if set(s.joints) == set(names)), None)
    cause = f"the joints of {same} in another order" if same else f"{len(names)} joints: {', '.join(names[:30])}"
    raise ValueError(f"{where}: found {cause}, expected one of {', '.join(SKELETONS)}")


def read_image_names(path: Path) -> dict[int | str, dict]:
    """Read what an annotation file says of images: {id: {"file_name": .., "size": (width, height) or None}}.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: No images in it, or one without id or name.
    """
    content = load_json(path)
    return _images(field(content, "images", str(path)), f"{path}: images")


def _images(value: Any, where: str) -> dict[int | str, dict]:
    images: dict[int | str, dict] = {}
    for i, image in enumerate(entries(value, where)):
        here = f"{where}[{i}]"
        key = image_key(image, "id", here)
        if key in images:
            raise ValueError(f"{here}: 'id' {key!r} occurs twice, expected ids to be unique")
        size = None
        if image.get("width") is not None and image.get("height") is not None:
            size = (round(number(image, "width", here)), round(number(image, "height", here)))
            if min(size) < 1:
                raise ValueError(f"{here}: 'width' and 'height' are {size[0]} and {size[1]}, expected 1 or more")
        images[key] = {"file_name": text(image, "file_name", here), "size": size}
    return images


def image_key(entry: dict, key: str, where: str) -> int | str:
    """Take an image's id: a whole number, or the name that some programs write in its place."""
    value = field(entry, key, where)
    return text(entry, key, where) if isinstance(value, str) else integer(entry, key, where)


def read_coco_poses(content: Any, path: Path, names: dict[int | str, dict] | None = None) -> list[Poses2D]:
    """Take people from COCO's forms.

    Args:
        content: A result list (``image_id``, ``keypoints`` or ``coco_keypoints``), or a dict with ``images`` and
            ``annotations``, whose third values are flags from 0 to 2 (``keypoint_scores`` are taken where they are
            there, as in our own files).
        path: The file, for errors.
        names: Images of a result list's ids, see `read_image_names`.

    Returns:
        Frames in the order of the images, those without people too where the file names them. Numbers that are the ids
        of a result list, or stand in names, are for the caller to understand.

    Raises:
        ValueError: One line with file, entry, field, found and expected.
    """
    annotated = isinstance(content, dict)
    images, records = names, content
    if annotated:
        images = _images(field(content, "images", str(path)), f"{path}: images")
        records = field(content, "annotations", str(path))
    what = "annotations" if annotated else "detections"
    records = entries(records, f"{path}: {what}")
    people: dict[int | str, list[np.ndarray]] = {key: [] for key in images or {}}
    scores: dict[int | str, list[float]] = {key: [] for key in people}
    skeleton = _skeleton_of(content, records, str(path)) if annotated else None
    flags = annotated or _are_flags(records)
    for i, record in enumerate(records):
        here = f"{path}: {what}[{i}]"
        key = "coco_keypoints" if record.get("coco_keypoints") else "keypoints"
        if annotated and not record.get(key):
            continue  # annotated with a box only
        image = image_key(record, "image_id", here)
        if images is not None and image not in images:
            raise ValueError(f"{here}: 'image_id' is {image!r}, expected one of {len(images)} ids of images")
        counts = tuple(3 * n for n in BY_COUNT) if skeleton is None else (3 * skeleton.num_joints,)
        pose = numbers(record, key, counts, here).reshape(-1, 3)
        skeleton = skeleton or BY_COUNT[len(pose)]
        if len(pose) != skeleton.num_joints:
            raise ValueError(f"{here}: {len(pose)} joints, expected {skeleton.num_joints} as in the entries before it")
        pose = _scored(pose, record, flags, here)
        of_image, of_scores = people.setdefault(image, []), scores.setdefault(image, [])
        if np.isfinite(pose).all(1).any():
            of_image.append(pose)
            of_scores.append(_score(record, here))
    skeleton = skeleton or COCO_17
    return [_frame(key, images, poses, scores[key], skeleton) for key, poses in people.items()]


def _skeleton_of(content: dict, records: list[dict], path: str) -> Skeleton | None:
    """The joint set that the categories name, None where they name none."""
    for i, category in enumerate(entries(content.get("categories") or [], f"{path}: categories")):
        joints = category.get("keypoints")
        if joints:
            here = f"{path}: categories[{i}]: 'keypoints'"
            if not isinstance(joints, list):
                raise ValueError(f"{here}: found {joints!r}, expected a list of names")
            return named_skeleton(joints, here)
    return None


def _are_flags(records: list[dict]) -> bool:
    """Whether a list's third values are visibility flags: whole numbers up to 2, and some 2."""
    third: set = set()
    for record in records:
        values = record.get("coco_keypoints") or record.get("keypoints")
        third |= {v for v in values[2::3] if isinstance(v, (int, float))} if isinstance(values, list) else set()
        if len(third) > 3:
            return False
    return third <= {0, 1, 2} and 2 in third


def _scored(pose: np.ndarray, record: dict, flags: bool, here: str) -> np.ndarray:
    """(K, 3) x, y and score; NaN where a joint is missing."""
    there = (pose[:, 2] > 0) & (pose[:, :2] != 0).any(1)
    score = pose[:, 2]
    if flags:
        score = np.ones(len(pose))
        if record.get("keypoint_scores") is not None:
            score = numbers(record, "keypoint_scores", len(pose), here)
            there &= score > 0
    return np.where(there[:, None], np.column_stack([pose[:, :2], score]), np.nan)


def _score(record: dict, here: str) -> float:
    return number(record, "score", here) if record.get("score") is not None else 1.0


def _frame(key: int | str, images: dict | None, poses: list, scores: list, skeleton: Skeleton) -> Poses2D:
    keypoints = np.array(poses).reshape(-1, skeleton.num_joints, 3)
    if images is not None:
        image = images[key]
        return Poses2D(image["file_name"], keypoints, skeleton, None, image["size"], np.array(scores))
    return Poses2D(str(key), keypoints, skeleton, key if isinstance(key, int) else None, None, np.array(scores))


def read_refined_poses(content: dict, path: Path) -> list[Poses2D]:
    """Take the pixels of refined 3D poses (``poses3d.json``).

    Args:
        content: The file's content.
        path: The file, for errors.

    Returns:
        A frame each.

    Raises:
        ValueError: One line with file, entry, field, found and expected.
    """
    skeleton = SKELETONS.get(str(content.get("skeleton")))
    if skeleton is None:
        raise ValueError(f"{path}: 'skeleton' is {content.get('skeleton')!r}, expected one of {', '.join(SKELETONS)}")
    frames = []
    for i, frame in enumerate(entries(field(content, "frames", str(path)), f"{path}: frames")):
        here = f"{path}: frames[{i}]"
        people = []
        for k, person in enumerate(entries(field(frame, "people", here), f"{here}: people")):
            there = f"{here}: people[{k}]"
            pairs = field(person, "keypoints", there)
            if not isinstance(pairs, list):
                raise ValueError(f"{there}: 'keypoints' is {pairs!r}, expected a list of (x, y)")
            flat = [v for pair in pairs for v in (pair if isinstance(pair, list) else [pair])]
            xy = numbers({"keypoints": flat}, "keypoints", 2 * skeleton.num_joints, there).reshape(-1, 2)
            score = numbers(person, "confidence", skeleton.num_joints, there)
            people.append(np.where((score > 0)[:, None], np.column_stack([xy, score]), np.nan))
        keypoints = np.array(people).reshape(-1, skeleton.num_joints, 3)
        frames.append(Poses2D(text(frame, "frame", here), keypoints, skeleton))
    return frames
