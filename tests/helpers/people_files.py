"""Small sets of people for tests: toy pictures, and labels that a stub teacher gives them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from color_toy import write_set

from orplugins.io.images import read_image
from orplugins.orpose_color.annotations import lifting_pairs
from orplugins.orpose_color.label_store import LabelStore
from orplugins.orpose_color.lifting import PoseStatistics, statistics_of
from orplugins.orpose_color.statistics import save_statistics
from orplugins.orpose_color.teacher import ThreeStageTeacher

SIZE = (96, 72)
# Options of ORPose-Color's configs: widths that make a step quick.
NARROW = ["MODEL.RESNETS.STEM_OUT_CHANNELS", "8", "MODEL.RESNETS.RES2_OUT_CHANNELS", "16",
          "MODEL.RESNETS.WIDTH_PER_GROUP", "4", "MODEL.FPN.OUT_CHANNELS", "16", "MODEL.ROI_BOX_HEAD.FC_DIM", "16",
          "MODEL.ROI_KEYPOINTS3D_HEAD.CONV_DIMS", "(16,)", "ORPLUGINS.ORPOSE_COLOR.LIFTER_WIDTH", "16"]  # fmt: skip


def toy(folder: Path, frames: int = 6, seed: int = 0, size: tuple[int, int] = SIZE) -> Path:
    """Annotation file of a toy set; its pictures are in images/ beside it, its statistics in statistics.json."""
    path = write_set(folder, frames, seed, size)
    save_statistics(folder / "statistics.json", statistics_of(*lifting_pairs(path)))
    return path


def truth_teacher(path: Path, statistics: PoseStatistics, noise: float = 0.0) -> tuple[ThreeStageTeacher, dict]:
    """A teacher whose stages look the truth up (the lifter: linear), and the content of the annotation file."""
    data = json.loads(path.read_text())
    people: dict[bytes, list] = {}
    for image in data["images"]:
        picture = read_image(path.parent / "images" / image["file_name"])
        people[picture.tobytes()] = [p for p in data["annotations"] if p["image_id"] == image["id"]]
    random = np.random.default_rng(0)
    weights = random.normal(0, 0.2, (32, 48))

    def detect(images):
        boxes = [np.array([p["bbox"] for p in people[i.tobytes()]], dtype=float).reshape(-1, 4) for i in images]
        return [(np.concatenate([b[:, :2], b[:, :2] + b[:, 2:]], axis=1), np.full(len(b), 0.9)) for b in boxes]

    def estimate(images, boxes):
        out = []
        for image, kept in zip(images, boxes, strict=True):
            joints = np.array([p["keypoints"] for p in people[image.tobytes()]], dtype=float).reshape(-1, 17, 3)
            joints[..., :2] += 0.5 + random.normal(0, noise, joints[..., :2].shape)
            joints[..., 2] = np.where(joints[..., 2] > 0, 0.9, 0.1)
            out.append(joints if len(kept) else joints[:0])
        return out

    return ThreeStageTeacher(detect, estimate, lambda rows: np.tanh(rows @ weights), statistics), data


def labels(path: Path, out: Path, statistics: PoseStatistics) -> Path:
    """A label file for a toy set, by `truth_teacher`."""
    teacher, data = truth_teacher(path, statistics)
    store = LabelStore(out, {"stats_sha256": statistics.digest})
    names = [image["file_name"] for image in data["images"]]
    for name in names:
        picture = read_image(path.parent / "images" / name)
        store.add(name, *picture.shape[:2], teacher.label([picture])[0])
    store.merge(names)
    return out
