"""A small made-up annotation file in MVOR's form: two multi-view frames, four 2D persons, two 3D persons."""

import copy
import json
from pathlib import Path

import numpy as np

VIEWS = 3
# Worked cases of the PCK protocol: a person without a right wrist, and a detection of it.
PERSON = np.array(
    [[100, 50, 2], [100, 70, 2], [120, 72, 2], [80, 72, 2], [115, 140, 1], [85, 140, 2], [130, 100, 2], [70, 100, 2],
     [135, 125, 2], [0, 0, 0]], dtype=float)  # fmt: skip
DETECTION = np.zeros((17, 3))
for _joint, _xy in {
    0: (100, 52),
    1: (103, 48),
    2: (97, 48),
    5: (120, 72),
    6: (80, 72),
    7: (130, 100),
    8: (70, 100),
    9: (135, 125),
    10: (65, 125),
    11: (115, 140),
    12: (85, 160),
}.items():
    DETECTION[_joint] = (*_xy, 1)


def shifted(pose: np.ndarray, dx: float, dy: float) -> np.ndarray:
    """Move the joints that are present."""
    out = pose.copy()
    out[(pose[:, :2] != 0).any(axis=1), :2] += (dx, dy)
    return out


def image_id(day: int, camera: int, number: int) -> int:
    return day * 10**10 + camera * 10**7 + number


def image(day: int, camera: int, number: int) -> dict:
    return {
        "id": image_id(day, camera, number),
        "file_name": f"day{day}/cam{camera}/color/{number:06d}.png",
        "width": 640,
        "height": 480,
        "day_id": day,
        "cam_id": camera,
    }


def person(annotation_id: int, image: int, pose: np.ndarray | None, person_id: int = 0) -> dict:
    """A 2D person, or a box only where there is no pose."""
    keypoints = np.zeros((10, 3)) if pose is None else pose
    present = keypoints[(keypoints[:, :2] != 0).any(axis=1), :2] if pose is not None else np.array([[10, 10], [50, 90]])
    low, high = present.min(axis=0), present.max(axis=0)
    return {
        "id": annotation_id,
        "image_id": image,
        "category_id": "1",
        "bbox": [*low.tolist(), *(high - low).astype(float).tolist()],
        "keypoints": keypoints.ravel().tolist(),
        "only_bbox": int(pose is None),
        "person_id": -1 if pose is None else person_id,
        "person_role": "clinician",
        "face_blurred": 0,
    }


def annotations() -> dict:
    """Fresh content of the file. Camera i lies i metres to the right of camera 1. Images are not sorted."""
    frames = [[image(1, camera, number) for camera in (1, 2, 3)] for number in (17, 3)]
    poses3d = np.concatenate([np.arange(36).reshape(12, 3) * 10.0 + (0, 0, 2000), np.full((12, 1), 2.0)], axis=1)
    poses3d[0, :3] = 0  # a missing head with a flag that says otherwise
    matrices = [np.eye(4) for _ in range(VIEWS)]
    for i, matrix in enumerate(matrices):
        matrix[0, 3] = 1000 * i
    return {
        "images": [frames[0][1], frames[0][0], frames[1][0], frames[1][2], frames[1][1], frames[0][2]],
        "annotations": [
            person(0, image_id(1, 2, 17), PERSON),
            person(1, image_id(1, 2, 17), None),
            person(2, image_id(1, 1, 17), shifted(PERSON, 200, 100)),
            person(3, image_id(1, 3, 3), shifted(PERSON, 30, 20), person_id=1),
        ],
        "annotations3D": [
            {
                "id": str(i),
                "image_ids": "_".join(str(view["id"]) for view in frame),
                "person_id": i,
                "ref_camera": 0,
                "keypoints3D": poses3d.ravel().tolist(),
            }
            for i, frame in enumerate(frames)
        ],
        "multiview_images": [
            {"id": "_".join(str(view["id"]) for view in frame), "images": copy.deepcopy(frame)} for frame in frames
        ],
        "cameras_info": {
            "camParams": {
                "ids": ["1", "2", "3"],
                "firstCamToRoomRef": np.eye(4).ravel().tolist(),
                "intrinsics": [
                    {
                        "serialnumber": str(i),
                        "skew_value": 0,
                        "distortion": [0.0] * 5,
                        "principalpoint": [319.5, 239.5],
                        "focallength": [540.0, 540.0],
                        "imagesize": [640, 480],
                    }
                    for i in range(VIEWS)
                ],
                "extrinsics": [matrix.ravel().tolist() for matrix in matrices],
            },
            "date_identifier": "x",
        },
        "categories": [{"id": "1", "name": "person"}],
    }


def write(path: Path, content: object) -> str:
    """Write JSON, NaN included, as Python's own writer lets it pass."""
    path.write_text(json.dumps(content))
    return str(path)


def keypoint_results(key: str = "coco_keypoints") -> list[dict]:
    """A detection of every person of `annotations`, as good as that of the worked case."""
    return [
        {"image_id": image, "category_id": 1, key: shifted(DETECTION, *shift).ravel().tolist(), "score": score}
        for image, shift, score in (
            (image_id(1, 2, 17), (0, 0), 0.9),
            (image_id(1, 1, 17), (200, 100), 0.8),
            (image_id(1, 3, 3), (30, 20), 0.7),
        )
    ]
