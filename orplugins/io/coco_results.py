"""Detection lists in COCO's result form: joints or boxes of people."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orplugins.io.json_fields import entries, field, integer, load_json, number, numbers
from orplugins.io.matlab5 import load_matrices


@dataclass(frozen=True)
class KeypointResults:
    """Detected poses, in the order of the file.

    Attributes:
        path: The file.
        field: The field the joints were read from.
        image_ids: (D,) int64.
        keypoints: (D, 17, 3) COCO-17 or (D, 10, 3) CAMMA-10: x, y in pixels, score. A missing joint is (0, 0, 0).
        scores: (D,).
    """

    path: str
    field: str
    image_ids: np.ndarray
    keypoints: np.ndarray
    scores: np.ndarray


def load_keypoint_results(path: str | os.PathLike, sizes: tuple[int, ...] = (51,)) -> KeypointResults:
    """Read a list of detected poses.

    The joints are those of `coco_keypoints` where entries have it filled, of `keypoints` otherwise: the detections
    released with MVOR hold COCO-17 in the first and CAMMA-10 (or nothing) in the second, those of DepthPose hold
    COCO-17 in the second.

    Args:
        path: JSON file: list of `image_id`, `score`, and `coco_keypoints` (51 numbers) or `keypoints` (51 or 30).
        sizes: Allowed numbers of values: 51 for COCO-17, 30 for CAMMA-10. The first stands for an empty list of
            detections.

    Returns:
        The poses.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: One line with file, entry, field, found and expected.
    """
    name = str(Path(path))
    results = entries(load_json(path), f"{name}: detections")
    key = "coco_keypoints" if results and results[0].get("coco_keypoints") else "keypoints"
    rows = []
    for i, entry in enumerate(results):
        here = f"{name}: detections[{i}]"
        integer(entry, "image_id", here)
        number(entry, "score", here)
        rows.append(numbers(entry, key, sizes, here))
        if len(rows[i]) != len(rows[0]):
            raise ValueError(f"{here}: '{key}' has {len(rows[i])} numbers, expected {len(rows[0])} as in entry 0")
    if key == "keypoints" and any(entry.get("coco_keypoints") for entry in results):
        raise ValueError(f"{name}: some detections have 'coco_keypoints', the first has none; expected the same in all")
    joints = (len(rows[0]) if rows else sizes[0]) // 3
    keypoints = np.array(rows, dtype=np.float64).reshape(-1, joints, 3)
    if (keypoints[..., 2] == 2).any() and np.isin(keypoints[..., 2], (0, 1, 2)).all():
        keypoints[..., 2] = keypoints[..., 2] > 0  # COCO's v, which is no score
    return KeypointResults(
        name,
        key,
        np.array([entry["image_id"] for entry in results], dtype=np.int64),
        keypoints,
        np.array([entry["score"] for entry in results], dtype=np.float64),
    )


def load_box_results(path: str | os.PathLike) -> list[dict]:
    """Read a list of detected boxes.

    Args:
        path: JSON file: list of `image_id`, `category_id`, `bbox` [x, y, width, height] and `score`.

    Returns:
        The file's records.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: One line with file, entry, field, found and expected.
    """
    name = str(Path(path))
    results = entries(load_json(path), f"{name}: detections")
    for i, entry in enumerate(results):
        here = f"{name}: detections[{i}]"
        integer(entry, "image_id", here)
        if not isinstance(field(entry, "category_id", here), (str, int)):
            raise ValueError(f"{here}: 'category_id' is {entry['category_id']!r}, expected \"1\"")
        number(entry, "score", here)
        box = numbers(entry, "bbox", 4, here)
        if (box[2:] < 0).any():
            raise ValueError(f"{here}: 'bbox' is {entry['bbox']}, expected x, y, width >= 0, height >= 0")
    return results


def has_boxes(path: str | os.PathLike) -> bool:
    """Whether a detection list holds boxes, or joints only, by its first entry.

    Args:
        path: JSON file.

    Returns:
        True for boxes and for an empty list.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Not a list of objects.
    """
    results = entries(load_json(path), f"{Path(path)}: detections")
    return not results or "bbox" in results[0]


def load_mv3dreg(path: str | os.PathLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read the published 3D poses, `mv3dreg.mat` (MATLAB 5).

    Args:
        path: The file.

    Returns:
        Predicted and true poses, (N, 30) each: 10 joints in millimetres in the axes of camera 1, origin at the midpoint
        of the shoulders; and the 2D detections (N, 288) that the prediction was made from: 3 views x 32 joints x
        (x, y, score).

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: One line with file, variable, found and expected.
    """
    data = load_matrices(path, ("det3dPoses", "GT3dPoses", "enc_in"))
    arrays = []
    for name, width in (("det3dPoses", 30), ("GT3dPoses", 30), ("enc_in", 288)):
        if name not in data:
            raise ValueError(f"{path}: missing variable '{name}'")
        array = data[name]
        if array.ndim != 2 or array.shape[1] != width:
            raise ValueError(f"{path}: '{name}' is {array.dtype} {array.shape}, expected numbers (N, {width})")
        if not np.isfinite(array).all():
            raise ValueError(f"{path}: '{name}' holds NaN or infinity, expected finite numbers")
        arrays.append(array.astype(np.float64))
    if len({len(array) for array in arrays}) > 1:
        raise ValueError(f"{path}: variables have {[len(array) for array in arrays]} rows, expected the same number")
    found, truth, encoded = arrays
    return found, truth, encoded


def keypoint_records(image_ids: np.ndarray, keypoints: np.ndarray, scores: np.ndarray) -> list[dict]:
    """Poses as COCO result records.

    Args:
        image_ids: (D,).
        keypoints: (D, J, 3) x, y in pixels and score.
        scores: (D,).

    Returns:
        Records with `category_id` 1 and 3 J numbers in `keypoints`.
    """
    return [
        {"image_id": int(image_id), "category_id": 1, "keypoints": pose.ravel().tolist(), "score": float(score)}
        for image_id, pose, score in zip(image_ids, np.asarray(keypoints, dtype=np.float64), scores, strict=True)
    ]


def box_records(
    image_ids: np.ndarray, boxes: np.ndarray, scores: np.ndarray, category_id: str | int = "1"
) -> list[dict]:
    """Boxes as COCO result records.

    Args:
        image_ids: (D,).
        boxes: (D, 4) x, y, width, height in pixels.
        scores: (D,).
        category_id: The same for all; MVOR's is the string "1".

    Returns:
        Records with `image_id`, `category_id`, `bbox` and `score`.
    """
    return [
        {"image_id": int(image_id), "category_id": category_id, "bbox": box.tolist(), "score": float(score)}
        for image_id, box, score in zip(image_ids, np.asarray(boxes), scores, strict=True)
    ]
