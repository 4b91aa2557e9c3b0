"""VideoPose3D's data files: detection archives, 2D sets, Human3.6M's 3D positions; and our own plain npz of one clip."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orplugins.core.skeletons import COCO_17, H36M_17
from orplugins.io.atomic import atomic_write
from orplugins.io.pickled_npz import object_array, object_scalar, read_npz

PERSON = 1  # class index in Detectron's lists
# Joints of Human3.6M's 32 that make H36M-17, in order.
H36M_17_OF_32 = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)
# S11's "Directions" is corrupt in the public release.
H36M_BROKEN = {("S11", "Directions")}
COCO_SYMMETRY = [[left for left, _ in COCO_17.flip_pairs], [right for _, right in COCO_17.flip_pairs]]
H36M_SYMMETRY = [[4, 5, 6, 11, 12, 13], [1, 2, 3, 14, 15, 16]]
H36M_PARENTS = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15)


@dataclass(frozen=True)
class Keypoints2D:
    """One person's joints through one video.

    Attributes:
        keypoints: (F, 17, 2) float32 pixels, COCO-17, no gaps: undetected frames are interpolated.
        detected: (F,) frames in which the person was really there.
        size: (width, height).
        fps: Frames a second, None if unknown.
        video: Name of the video.
        boxes: (F, 4) x1, y1, x2, y2, interpolated too, or None.
        scores: (F, 17) or None.
    """

    keypoints: np.ndarray
    detected: np.ndarray
    size: tuple[int, int]
    fps: float | None
    video: str
    boxes: np.ndarray | None = None
    scores: np.ndarray | None = None


def fill_gaps(values: np.ndarray, detected: np.ndarray) -> np.ndarray:
    """Linear interpolation over frames (F, ...) that were not detected, constant beyond the first and last one."""
    frames, flat = np.arange(len(values)), values.reshape(len(values), -1)
    filled = [np.interp(frames, frames[detected], column[detected]) for column in flat.T]
    return np.stack(filled, 1).astype(values.dtype).reshape(values.shape)


def read_detection_archive(path: str | os.PathLike) -> Keypoints2D:
    """Read ``<video>.npz`` as Detectron's in-the-wild script writes it: the person with the best box in each frame.

    Raises:
        FileNotFoundError, ValueError: File, field, found and expected; nobody in the whole video.
    """
    data = read_npz(path, ("boxes", "keypoints", "metadata"))
    boxes, keypoints, meta = data["boxes"], data["keypoints"], data["metadata"]
    video = Path(path).name.removesuffix(".npz")
    if not isinstance(meta, dict) or not {"w", "h"} <= set(meta):
        raise ValueError(f"{path}: 'metadata' is {meta!r}, expected a dict with 'w' and 'h'")
    if len(boxes) != len(keypoints) or not len(boxes):
        raise ValueError(f"{path}: {len(boxes)} frames of boxes and {len(keypoints)} of keypoints, expected the same, above 0")
    detected = np.zeros(len(boxes), dtype=bool)
    poses = np.zeros((len(boxes), 17, 2), dtype=np.float32)
    best_boxes = np.zeros((len(boxes), 4), dtype=np.float32)
    scores = np.zeros((len(boxes), 17), dtype=np.float32)
    for t in range(len(boxes)):
        frame_boxes, frame_poses = _people(boxes[t]), _people(keypoints[t])
        if not len(frame_boxes) or not len(frame_poses):
            continue
        if frame_boxes.shape[1:] != (5,) or frame_poses.shape != (len(frame_boxes), 4, 17):
            raise ValueError(f"{path}: frame {t} has boxes {frame_boxes.shape} and keypoints {frame_poses.shape}, "
                             "expected (N, 5) and (N, 4, 17)")  # fmt: skip
        best = int(np.argmax(frame_boxes[:, 4]))
        if not np.isfinite(frame_poses[best, :2]).all():
            continue
        best_boxes[t], poses[t], scores[t] = frame_boxes[best, :4], frame_poses[best, :2].T, frame_poses[best, 3]
        detected[t] = True
    if not detected.any():
        raise ValueError(f"{path}: nobody was detected in any of the {len(boxes)} frames of {video}")
    return Keypoints2D(fill_gaps(poses, detected), detected, (int(meta["w"]), int(meta["h"])), None, video,
                       fill_gaps(best_boxes, detected), scores)  # fmt: skip


def _people(frame) -> np.ndarray:
    """The person class of one frame's lists, by class; an empty list is nobody."""
    return np.asarray(frame[PERSON]) if len(frame) > PERSON and len(frame[PERSON]) else np.zeros((0, 0))


def write_detection_archive(
    path: str | os.PathLike, frames: list[tuple[np.ndarray, np.ndarray]], size: tuple[int, int]
) -> None:
    """Write detections in Detectron's form.

    Args:
        frames: One (boxes (N, 5): x1, y1, x2, y2, score; keypoints (N, 17, 3): x, y, score) a frame.
        size: (width, height).
    """
    boxes, keypoints = [], []
    for frame_boxes, poses in frames:
        poses = np.asarray(poses, dtype=np.float32)
        boxes.append([[], np.asarray(frame_boxes, dtype=np.float32) if len(frame_boxes) else []])
        rows = [poses[..., 0], poses[..., 1], np.zeros_like(poses[..., 0]), poses[..., 2]] if len(poses) else []
        keypoints.append([[], np.stack(rows, 1) if rows else []])
    entries = {
        "boxes": object_array(boxes),
        "keypoints": object_array(keypoints),
        "segments": object_array([None] * len(frames)),
        "metadata": object_scalar({"w": int(size[0]), "h": int(size[1])}),
    }
    with atomic_write(path, "wb") as file:
        np.savez_compressed(file, **entries)


def write_custom_2d(path: str | os.PathLike, clips: list[Keypoints2D]) -> None:
    """Write ``data_2d_custom_<name>.npz``, the form that VideoPose3D's scripts read."""
    meta = {
        "layout_name": "coco",
        "num_joints": 17,
        "keypoints_symmetry": COCO_SYMMETRY,
        "video_metadata": {clip.video: {"w": clip.size[0], "h": clip.size[1]} for clip in clips},
    }
    positions = {clip.video: {"custom": [clip.keypoints.astype(np.float32)]} for clip in clips}
    with atomic_write(path, "wb") as file:
        np.savez_compressed(file, positions_2d=object_scalar(positions), metadata=object_scalar(meta))


def read_custom_2d(path: str | os.PathLike, video: str | None = None) -> Keypoints2D:
    """One video of a ``data_2d_custom_*`` file (the only one if ``video`` is None). It keeps no detection mask."""
    data = read_npz(path, ("positions_2d", "metadata"))
    positions, meta = data["positions_2d"], data["metadata"]
    if video is None and len(positions) != 1:
        raise ValueError(f"{path}: {len(positions)} videos ({', '.join(map(str, positions))}), expected a choice of one")
    video = next(iter(positions)) if video is None else video
    if video not in positions:
        raise ValueError(f"{path}: no video {video!r}, found {', '.join(map(str, positions))}")
    keypoints = np.asarray(positions[video]["custom"][0])
    size = meta.get("video_metadata", {}).get(video)
    if keypoints.ndim != 3 or keypoints.shape[1] != 17 or not size:
        raise ValueError(f"{path}: {video}: keypoints {keypoints.shape}, size {size}, expected (F, 17, 2) and its w and h")
    keypoints = keypoints[..., :2].astype(np.float32)
    return Keypoints2D(keypoints, np.ones(len(keypoints), dtype=bool), (int(size["w"]), int(size["h"])), None, str(video))


def write_clip(path: str | os.PathLike, clip: Keypoints2D) -> None:
    """Write our own npz of one clip: plain arrays, with what VideoPose3D's form loses."""
    extra = {} if clip.scores is None else {"scores": clip.scores}
    if clip.fps:
        extra["time"] = np.arange(len(clip.keypoints)) / clip.fps
    with atomic_write(path, "wb") as file:
        np.savez_compressed(file, keypoints=clip.keypoints, image_size=np.array(clip.size), layout=np.array(COCO_17.name),
                            video=np.array(clip.video), detected=clip.detected, **extra)  # fmt: skip


def read_clip(path: str | os.PathLike) -> Keypoints2D:
    """Read what :func:`write_clip` writes."""
    data = read_npz(path, ("keypoints", "image_size", "layout", "video"))
    optional = np.load(path, allow_pickle=False)
    keypoints, layout = data["keypoints"], str(data["layout"])
    if layout != COCO_17.name or keypoints.ndim != 3 or keypoints.shape[1:] != (17, 2):
        raise ValueError(f"{path}: layout {layout}, keypoints {keypoints.shape}, expected coco_17 and (F, 17, 2)")
    detected = optional["detected"] if "detected" in optional else np.ones(len(keypoints), dtype=bool)
    time = optional["time"] if "time" in optional else None
    fps = float(round(1 / np.median(np.diff(time)), 3)) if time is not None and len(time) > 1 else None
    width, height = (int(value) for value in data["image_size"])
    scores = optional["scores"] if "scores" in optional else None
    return Keypoints2D(keypoints.astype(np.float32), detected, (width, height), fps, str(data["video"]), scores=scores)


def read_positions_3d(path: str | os.PathLike) -> dict[str, dict[str, np.ndarray]]:
    """``data_3d_*.npz``: {subject: {action: (F, 17, 3) world metres}}; 32 joints become 17, corrupt clips are left out."""
    positions = read_npz(path, ("positions_3d",))["positions_3d"]
    out: dict[str, dict[str, np.ndarray]] = {}
    for subject, actions in positions.items():
        for action, clip in actions.items():
            clip = np.asarray(clip, dtype=np.float32)
            if clip.ndim != 3 or clip.shape[1] not in (32, H36M_17.num_joints) or clip.shape[2] != 3:
                raise ValueError(f"{path}: {subject} {action}: shape {clip.shape}, expected (F, 32, 3) or (F, 17, 3)")
            if (subject, action) not in H36M_BROKEN:
                clip = clip[:, list(H36M_17_OF_32)] if clip.shape[1] == 32 else clip
                out.setdefault(str(subject), {})[str(action)] = clip
    return out


def read_positions_2d(path: str | os.PathLike) -> tuple[dict[str, dict[str, list[np.ndarray]]], dict]:
    """``data_2d_*.npz``: {subject: {action: [one (F, J, 2) pixels a camera]}} and its metadata."""
    data = read_npz(path, ("positions_2d", "metadata"))
    clips = {
        str(subject): {str(action): [np.asarray(view, dtype=np.float32)[..., :2] for view in views]
                       for action, views in actions.items()}
        for subject, actions in data["positions_2d"].items()
    }  # fmt: skip
    return clips, data["metadata"]
