"""2D poses of frames from the files that estimators write: COCO result lists, OpenPose folders, our own JSON."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orplugins.io.json_fields import entries, field, integer, load_json, numbers
from orplugins.io.openpose import read_openpose_file
from orplugins.skeletons import BODY_25, CAMMA_10, COCO_17, ITOP_15, OPENPOSE_18, Skeleton

_BY_COUNT = {skeleton.num_joints: skeleton for skeleton in (COCO_17, OPENPOSE_18, BODY_25, CAMMA_10, ITOP_15)}
_OPENPOSE_END = "_keypoints.json"


@dataclass(frozen=True)
class FramePoses:
    """People of a frame.

    Attributes:
        frame: Its name.
        keypoints: (M, J, 3) x, y in pixels and score.
        skeleton: The joint set.
    """

    frame: str
    keypoints: np.ndarray
    skeleton: Skeleton


def load_pose2d(path: str | os.PathLike) -> list[FramePoses]:
    """Read 2D poses frame by frame.

    Args:
        path: A COCO result list (records with `image_id` and `keypoints` or `coco_keypoints`), a dict with `images`
            beside `annotations` (frames are then the files' names), or a folder of OpenPose's `NAME_keypoints.json`.
            The joint set is known by the number of joints: 17, 18, 25, 10 or 15.

    Returns:
        Frames sorted by name. A name is the image id, the stem of the image's file name, or OpenPose's NAME.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: One line with file, entry, field, found and expected.
    """
    path = Path(path)
    return _openpose(path) if path.is_dir() else _coco(path)


def _openpose(folder: Path) -> list[FramePoses]:
    paths = sorted(folder.glob(f"*{_OPENPOSE_END}"))
    if not paths:
        raise ValueError(f"{folder}: found no *{_OPENPOSE_END}, expected OpenPose's JSON files or a COCO result file")
    frames = []
    for path in paths:
        poses, skeleton = read_openpose_file(path)
        skeleton = skeleton or COCO_17  # nobody is in the file
        poses = poses.reshape(-1, skeleton.num_joints, 3)
        frames.append(FramePoses(path.name.removesuffix(_OPENPOSE_END), poses, skeleton))
    return frames


def _coco(path: Path) -> list[FramePoses]:
    content, names = load_json(path), {}
    records = content
    if isinstance(content, dict):
        for i, image in enumerate(entries(field(content, "images", str(path)), f"{path}: 'images'")):
            here = f"{path}: images[{i}]"
            names[integer(image, "id", here)] = Path(str(field(image, "file_name", here))).stem
        records = field(content, "annotations", str(path))
    people: dict[str, list[np.ndarray]] = {name: [] for name in names.values()}
    for i, record in enumerate(entries(records, f"{path}: detections")):
        here = f"{path}: detections[{i}]"
        image_id = integer(record, "image_id", here)
        key = "coco_keypoints" if record.get("coco_keypoints") else "keypoints"
        if isinstance(content, dict) and not record.get(key):
            continue  # annotated with a box only
        pose = numbers(record, key, tuple(3 * n for n in _BY_COUNT), here)
        people.setdefault(names.get(image_id, str(image_id)), []).append(pose)
    if not people:
        raise ValueError(f"{path}: found no detection, expected at least one")
    return [_frame(name, poses, str(path)) for name, poses in sorted(people.items())]


def _frame(name: str, poses: list[np.ndarray], where: str) -> FramePoses:
    counts = {len(pose) // 3 for pose in poses} or {COCO_17.num_joints}
    if len(counts) > 1:
        raise ValueError(f"{where}: frame {name}: found poses of {sorted(counts)} joints, expected one joint set")
    joints = counts.pop()
    return FramePoses(name, np.array(poses, dtype=np.float64).reshape(-1, joints, 3), _BY_COUNT[joints])
