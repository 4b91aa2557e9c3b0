"""Small generated data sets in the files that the configs read, written by the library's own writers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from orplugins.io.atomic import write_json
from orplugins.io.json_fields import load_json
from orplugins.orpose_color.annotations import lifting_pairs
from orplugins.orpose_color.label_store import LabelStore
from orplugins.orpose_color.lifting import statistics_of
from orplugins.orpose_color.statistics import save_statistics
from orplugins.orpose_color.teacher import ThreeStageTeacher
from orplugins.refinet.itop import itop_path, load_itop_labels
from orplugins.refinet.pose_files import save_itop_poses
from orplugins.synthetic.export.itop_files import write_itop
from orplugins.synthetic.export.mvor_layout import write_dataset
from orplugins.synthetic.motion_points import write_lifting_data

PICTURE = (160, 120)


def depth_people(folder: Path) -> Path:
    """Depth images of 320x240 with COCO-17 annotations."""
    write_dataset(folder, 2, seed=5, size=(320, 240), people=(1, 3))
    return folder


def itop_people(folder: Path) -> Path:
    """People in ITOP's files, and ``poses_mm.npz``: their 3D poses, a little off."""
    write_itop(folder, 4, seed=4, views=("side",), people=(3, 3), everyone=True)
    labels = load_itop_labels(itop_path(folder, "side", "train", "labels"))
    save_itop_poses(folder / "poses_mm.npz", np.arange(len(labels.ids)), labels.points_mm + 30)
    return folder


def motion(folder: Path) -> Path:
    """Motion in VideoPose3D's files."""
    write_lifting_data(folder, ["S1", "S2"], frames=30)
    return folder


def colour_people(folder: Path) -> Path:
    """Images with COCO annotations (``annotations/coco17_color.json``), and what is made of them: labels as a teacher
    gives them (``labels.json``), their statistics (``statistics.json``), patients and users (``detector.json``)."""
    write_dataset(folder, 4, seed=0, size=PICTURE, people=(2, 4), color=True)
    path = folder / "annotations/coco17_color.json"
    statistics = statistics_of(*lifting_pairs(path))
    save_statistics(folder / "statistics.json", statistics)
    data = load_json(path)
    weights = np.random.default_rng(0).normal(0, 0.2, (32, 48))
    store = LabelStore(folder / "labels.json", {"stats_sha256": statistics.digest})
    for image in data["images"]:
        people = [person for person in data["annotations"] if person["image_id"] == image["id"]]
        boxes = np.array([person["bbox"] for person in people], dtype=float).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        joints = np.array([person["keypoints"] for person in people], dtype=float).reshape(-1, 17, 3)
        joints[..., 2] = np.where(joints[..., 2] > 0, 0.9, 0.1)
        found = boxes, np.full(len(boxes), 0.9)
        teacher = ThreeStageTeacher(
            lambda _, found=found: [found],
            lambda *_, joints=joints: [joints],
            lambda rows: np.tanh(rows @ weights),
            statistics,
        )
        picture = np.zeros((image["height"], image["width"], 3), np.uint8)
        store.add(image["file_name"], *picture.shape[:2], teacher.label([picture])[0])
    store.merge([image["file_name"] for image in data["images"]])
    for number, person in enumerate(data["annotations"]):
        person.update(category_id=1 + number % 2, segmentation=[])
    data["categories"] = [{"id": 1, "name": "patient"}, {"id": 2, "name": "user"}]
    write_json(folder / "detector.json", data)
    return folder
