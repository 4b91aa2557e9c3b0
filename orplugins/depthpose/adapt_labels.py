"""Depth frames and labels for a student's adaptation: poses as detections, holes where nothing is said, COCO's file."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orplugins.adaptation.agreement import FrameLabels
from orplugins.adaptation.fusion import Detections, single_view
from orplugins.skeletons import COCO_17

LEAST_JOINTS = 4
SURE_JOINT = 0.15  # least mean score of a joint that becomes a label
_MARGIN = 0.15  # of the joints' extent is added on each side: bodies reach beyond their joints
_FULL = 10  # joints of a person who counts in full


def pose_detections(joints: np.ndarray, size: tuple[int, int]) -> Detections:
    """Poses with boxes around their joints; a person's score is the mean of the joints', less with few of them.

    Args:
        joints: (N, 17, 3) x, y, score; 0 where missing.
        size: (width, height) of the picture.

    Returns:
        People with four joints and more.
    """
    joints = np.asarray(joints, dtype=np.float64).reshape(-1, 17, 3)
    joints = joints[(joints[..., 2] > 0).sum(1) >= LEAST_JOINTS]
    joints[..., 2] = joints[..., 2].clip(0, 1)
    count = (joints[..., 2] > 0).sum(1)
    scores = joints[..., 2].sum(1) / np.maximum(count, 1) * np.sqrt(np.minimum(count / _FULL, 1))
    return single_view(joint_boxes(joints, size), scores, joints)


def joint_boxes(joints: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Boxes around the joints that are there, widened, within the picture.

    Args:
        joints: (N, 17, 3), the last column above 0 where there is a joint.
        size: (width, height).

    Returns:
        (N, 4) x1, y1, x2, y2.
    """
    there = joints[..., 2] > 0
    low = np.where(there[..., None], joints[..., :2], np.inf).min(1, initial=np.inf)
    high = np.where(there[..., None], joints[..., :2], -np.inf).max(1, initial=-np.inf)
    margin = _MARGIN * (high - low).max(-1, keepdims=True) if len(joints) else 0.0
    return np.concatenate([np.maximum(low - margin, 0), np.minimum(high + margin, size)], -1)


def people_boxes(coco: dict, image: int) -> np.ndarray:
    """Boxes around the joints of a generated image's people.

    Args:
        coco: See `orplugins.synthetic.export.annotation_files.coco_file`.
        image: Its id.

    Returns:
        (N, 4) of people with four joints in view.
    """
    people = [person["keypoints"] for person in coco["annotations"] if person["image_id"] == image]
    joints = np.array(people, dtype=np.float64).reshape(-1, 17, 3)
    joints = joints[(joints[..., 2] > 0).sum(1) >= LEAST_JOINTS]
    width, height = next((each["width"], each["height"]) for each in coco["images"] if each["id"] == image)
    return joint_boxes(joints, (width, height))


def with_holes(picture: np.ndarray, labels: FrameLabels) -> np.ndarray:
    """A depth frame without measurement where it is not known whether there is a person.

    The network's loss knows no region to leave out; a hole shows nobody, as sensors' own holes do.

    Args:
        picture: (H, W) uint16.
        labels: Whose unsure boxes become holes, except where a labelled person is.

    Returns:
        (H, W) uint16.
    """
    hidden = np.zeros(picture.shape, dtype=bool)
    for value, boxes in ((True, labels.unsure), (False, labels.people.boxes)):
        for x1, y1, x2, y2 in np.rint(boxes).astype(int):
            hidden[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)] = value
    return np.where(hidden, 0, picture).astype(picture.dtype)


def coco_file(pictures: Sequence[tuple[str, tuple[int, int], np.ndarray]]) -> dict:
    """COCO's form of labelled pictures.

    Args:
        pictures: Name, (width, height) and joints (N, 17, 3) x, y, score of each.

    Returns:
        The file's content.
    """
    images: list[dict] = []
    people: list[dict] = []
    for number, (name, size, joints) in enumerate(pictures, start=1):
        images.append({"id": number, "file_name": name, "width": size[0], "height": size[1]})
        joints = np.asarray(joints, dtype=np.float64).reshape(-1, 17, 3).copy()
        sure = joints[..., 2] >= SURE_JOINT
        joints = np.concatenate([joints[..., :2], 2.0 * sure[..., None]], -1)
        joints[~sure] = 0
        joints = joints[sure.sum(1) >= LEAST_JOINTS]
        for person, box in zip(joints, joint_boxes(joints, size), strict=True):
            width, height = np.maximum(box[2:] - box[:2], 1)
            people.append(
                {
                    "id": len(people) + 1,
                    "image_id": number,
                    "category_id": 1,
                    "iscrowd": 0,
                    "bbox": np.round([box[0], box[1], width, height], 3).tolist(),
                    "area": round(float(width * height), 3),
                    "num_keypoints": int((person[:, 2] > 0).sum()),
                    "keypoints": np.round(person, 3).ravel().tolist(),
                }
            )
    category = {
        "id": 1,
        "name": "person",
        "keypoints": list(COCO_17.joints),
        "skeleton": [[a + 1, b + 1] for a, b in COCO_17.limbs],
    }
    return {"images": images, "annotations": people, "categories": [category]}
