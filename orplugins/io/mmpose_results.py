"""Predictions as mmpose writes them: ``pred_out_dir`` of its inferencers, and its demos' ``instance_info``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from orplugins.io.coco_poses import BY_COUNT
from orplugins.io.json_fields import entries, field, integer, load_json, number, numbers
from orplugins.skeletons import COCO_17
from orplugins.structures import Poses2D


def is_prediction(content: Any) -> bool:
    """Whether a JSON file's content is a video's predictions, one image's, or a demo's."""
    if isinstance(content, dict):
        return "instance_info" in content
    first = content[0] if isinstance(content, list) and content else None
    return isinstance(first, dict) and ("instances" in first or "keypoint_scores" in first)


def read_predictions(content: Any, path: Path) -> list[Poses2D]:
    """Take people from a file of predictions.

    Args:
        content: A list of ``frame_id`` and ``instances`` (a video), a list of instances (an image, which the file is
            named after), or a dict with ``instance_info`` (mmpose's demos).
        path: The file.

    Returns:
        A frame each; numbers are the ``frame_id``s.

    Raises:
        ValueError: One line with file, entry, field, found and expected.
    """
    records = field(content, "instance_info", str(path)) if isinstance(content, dict) else content
    records = entries(records, str(path))
    if records and "instances" not in records[0]:
        return [_frame(path.stem, None, records, str(path))]
    frames = []
    for i, record in enumerate(records):
        here = f"{path}: [{i}]"
        frame = integer(record, "frame_id", here)
        instances = entries(field(record, "instances", here), f"{here}: instances")
        frames.append(_frame(str(frame), frame, instances, f"{here}: instances"))
    return frames


def read_prediction_folder(folder: Path) -> tuple[list[Poses2D], list[str]]:
    """Read a ``pred_out_dir`` of images: a JSON file each, of the image's name.

    Args:
        folder: The folder.

    Returns:
        A frame each, and a line for each file that could not be read.

    Raises:
        ValueError: No such file in it.
    """
    frames, failed = [], []
    paths = sorted(folder.glob("*.json"))
    for path in paths:
        try:
            content = load_json(path)
            if content != [] and not is_prediction(content):
                raise ValueError(f"{path}: not a list of mmpose's instances (keypoints, keypoint_scores)")
            found = read_predictions(content, path) if content else [_frame(path.stem, None, [], str(path))]
            if len(found) != 1 or found[0].number is not None:
                raise ValueError(f"{path}: predictions of a video, expected of one image; give the file itself")
            frames += found
        except (ValueError, OSError) as error:
            failed.append(str(error))
    if not frames:
        raise ValueError(failed[0] if failed else f"{folder}: no JSON file in it, expected 2D poses")
    return frames, failed


def _frame(name: str, frame: int | None, instances: list[dict], where: str) -> Poses2D:
    people: list[np.ndarray] = []
    scores = []
    for i, person in enumerate(instances):
        here = f"{where}[{i}]"
        points = field(person, "keypoints", here)
        if not isinstance(points, list) or len(points) not in BY_COUNT:
            found = len(points) if isinstance(points, list) else type(points).__name__
            raise ValueError(f"{here}: 'keypoints' has {found} joints, expected {', '.join(map(str, BY_COUNT))}")
        if people and len(points) != len(people[0]):
            raise ValueError(f"{here}: {len(points)} joints, expected {len(people[0])} as in the first instance")
        rows = [{"x, y": point} for point in points]
        xy = np.array([numbers(row, "x, y", 2, f"{here}: keypoints[{k}]") for k, row in enumerate(rows)])
        score = numbers(person, "keypoint_scores", len(points), here)
        there = (score > 0) & (xy != 0).any(1)
        people.append(np.where(there[:, None], np.column_stack([xy, score]), np.nan))
        scores.append(number(person, "bbox_score", here) if person.get("bbox_score") is not None else 1.0)
    skeleton = BY_COUNT[len(people[0])] if people else COCO_17
    keypoints = np.array(people).reshape(-1, skeleton.num_joints, 3)
    return Poses2D(name, keypoints, skeleton, frame, None, np.array(scores))
