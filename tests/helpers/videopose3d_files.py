"""Files in the forms of Detectron and VideoPose3D, which the library reads and never writes."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from orplugins.io.safe_npz import object_scalar
from orplugins.skeletons import COCO_SYMMETRY
from orplugins.videopose3d.files import Keypoints2D


def object_array(values: list) -> np.ndarray:
    """A 1-D object array, whatever the entries' shapes (``np.array`` refuses ragged ones).

    Args:
        values: The entries.

    Returns:
        (len(values),) object array.
    """
    out = np.empty(len(values), dtype=object)
    for k, value in enumerate(values):
        out[k] = value
    return out


def write_detection_archive(
    path: str | os.PathLike, frames: list[tuple[np.ndarray, np.ndarray]], size: tuple[int, int]
) -> None:
    """Write detections in Detectron's form.

    Args:
        path: The file.
        frames: One (boxes (N, 5): x1, y1, x2, y2, score; keypoints (N, 17, 3): x, y, score) per frame.
        size: (width, height).
    """
    boxes: list[list]
    keypoints: list[list]
    boxes, keypoints = [], []
    for frame_boxes, poses in frames:
        poses = np.asarray(poses, dtype=np.float32)
        boxes.append([[], np.asarray(frame_boxes, dtype=np.float32) if len(frame_boxes) else []])
        rows = [poses[..., 0], poses[..., 1], np.zeros_like(poses[..., 0]), poses[..., 2]] if len(poses) else []
        keypoints.append([[], np.stack(rows, 1) if rows else []])
    content: dict[str, Any] = {
        "boxes": object_array(boxes),
        "keypoints": object_array(keypoints),
        "segments": object_array([None] * len(frames)),
        "metadata": object_scalar({"w": int(size[0]), "h": int(size[1])}),
    }
    np.savez_compressed(path, **content)


def write_custom_2d(path: str | os.PathLike, clips: list[Keypoints2D]) -> None:
    """Write ``data_2d_custom_<name>.npz``, the form that VideoPose3D's scripts read.

    Args:
        path: The file.
        clips: One per video.
    """
    meta = {
        "layout_name": "coco",
        "num_joints": 17,
        "keypoints_symmetry": COCO_SYMMETRY,
        "video_metadata": {clip.video: {"w": clip.size[0], "h": clip.size[1]} for clip in clips},
    }
    positions = {clip.video: {"custom": [clip.keypoints.astype(np.float32)]} for clip in clips}
    np.savez_compressed(path, positions_2d=object_scalar(positions), metadata=object_scalar(meta))
