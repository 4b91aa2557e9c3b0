"""The annotation files of a generated set: MVOR's schema, COCO person keypoints with 3D, and Human3.6M poses."""

from __future__ import annotations

import numpy as np

from orplugins.geometry.cameras import cameras_to_mvor
from orplugins.skeletons import CAMMA_10, COCO_17, Skeleton
from orplugins.synthetic.export.records import record_camera

# Fewer CAMMA joints than this that are seen: the person is given a box only, as MVOR does.
_LEAST_JOINTS = 4
_LICENSE = {"id": 1, "name": "CC0-1.0: generated data", "url": "https://creativecommons.org/publicdomain/zero/1.0/"}


def file_name(day: int, camera: int, number: int, kind: str = "depth") -> str:
    """Path of an image below the data set's folder.

    Args:
        day: From 1 on.
        camera: From 1 on.
        number: Of the frame.
        kind: "depth" or "color".

    Returns:
        With forward slashes.
    """
    return f"day{day}/cam{camera}/{kind}/{number:06d}.png"


def image_id(day: int, camera: int, number: int) -> int:
    """MVOR's rule: day 10^10 + camera 10^7 + number in the file name.

    Args:
        day: From 1 on.
        camera: From 1 on.
        number: Of the frame.

    Returns:
        The id, which does not fit 32 bits.
    """
    return day * 10**10 + camera * 10**7 + number


def mvor_file(records: list[dict], parameters: dict) -> dict:
    """MVOR's annotation file.

    Cameras and 3D poses are in it only where all images of a camera share its place.

    Args:
        records: From `records.frame_record`.
        parameters: What the set was made with.

    Returns:
        The file's content.
    """
    annotations: list[dict]
    poses: list[dict]
    images, annotations, frames, poses = [], [], [], []
    for record in records:
        flags: dict
        group, flags = [], {}
        for v, view in enumerate(record["views"]):
            image = _image(record, v, view, parameters)
            group.append(image)
            for k, person in enumerate(view["person_ids"]):
                joints = view["keypoints"][CAMMA_10.name][k]
                only_box = sum(joint[2] == 2 for joint in joints) < _LEAST_JOINTS
                if not only_box:
                    seen = np.array([joint[2] for joint in joints])
                    flags[person] = np.maximum(flags.get(person, 1), np.where(seen == 2, 2, 1))
                annotations.append(
                    {
                        "id": len(annotations),
                        "image_id": image["id"],
                        "category_id": "1",
                        "bbox": view["bboxes"][k],
                        "keypoints": [0.0] * 30 if only_box else _flat(joints),
                        "only_bbox": int(only_box),
                        "person_id": -1 if only_box else person,
                        "person_role": record["people"][str(person)]["role"],
                        "face_blurred": 0,
                    }
                )
        images += group
        key = "_".join(str(image["id"]) for image in group)
        frames.append({"id": key, "images": group})
        poses += _poses3d(record, flags, key, len(poses))
    result = {
        "info": _info(parameters),
        "licenses": _LICENSE,
        "dataset_info": {
            "camid_2_num": {str(v + 1): v + 1 for v in range(parameters["views"])},
            "imagetype_2_num": {"color": 0, "depth": 1},
            "datasetid_2_num": {"generated": 1},
        },
        "categories": [{"id": "1", **_category(CAMMA_10)}],
        "images": images,
        "annotations": annotations,
    }
    if parameters["fixed_cameras"]:
        cameras = [record_camera(view, tuple(parameters["size"])) for view in records[0]["views"]]
        params = cameras_to_mvor(cameras, first_to_room=cameras[0].pose)
        result |= {
            "cameras_info": {"camParams": params, "date_identifier": ""},
            "multiview_images": frames,
            "annotations3D": poses,
        }
    return result


def coco_file(records: list[dict], parameters: dict, kind: str = "depth") -> dict:
    """COCO person keypoints.

    Beyond COCO's fields images have `camera` (`intrinsics` fx, fy, cx, cy; `pose` 4x4 camera to room, metres) and
    `frame_key`, the same for the views of one moment. Annotations have `bbox` of what is seen, `bbox_full` of the whole
    outline, `person_id` (the same in every view and, in motion, over time), `person_role`, `action`, `keypoints_3d` (17
    x X, Y, Z) and `h36m_3d` (17 x X, Y, Z), metres in the axes of the image's camera, of all joints, seen or not.

    Args:
        records: From `records.frame_record`.
        parameters: What the set was made with.
        kind: Images that `file_name` names, "depth" or "color".

    Returns:
        The file's content.
    """
    annotations: list[dict]
    images, annotations = [], []
    for record in records:
        for v, view in enumerate(record["views"]):
            image = _image(record, v, view, parameters)
            image["file_name"] = file_name(record["day"], v + 1, record["number"], kind)
            image["frame_key"] = f"{record['day']}_{record['number']}"
            images.append(image)
            for k, person in enumerate(view["person_ids"]):
                joints, about = view["keypoints"][COCO_17.name][k], record["people"][str(person)]
                annotation = {
                    "id": len(annotations) + 1,
                    "image_id": image["id"],
                    "category_id": 1,
                    "bbox": view["bboxes"][k],
                    "area": float(view["areas"][k]),
                    "iscrowd": 0,
                    "keypoints": _flat(joints),
                    "num_keypoints": sum(joint[2] > 0 for joint in joints),
                    "bbox_full": view["full_bboxes"][k],
                    "person_id": person,
                    "person_role": about["role"],
                    "action": about["kind"],
                    "keypoints_3d": [n for point in view["points"][COCO_17.name][k] for n in point],
                    "h36m_3d": [n for point in view["points"]["h36m_17"][k] for n in point],
                }
                if "masks" in view:
                    annotation["segmentation"] = view["masks"][k]
                annotations.append(annotation)
    return {
        "info": _info(parameters),
        "licenses": [_LICENSE],
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, **_category(COCO_17)}],
    }


def h36m_arrays(records: list[dict]) -> dict[str, np.ndarray]:
    """Every person of every image in Human3.6M's 17 joints, as plain arrays of N rows.

    Args:
        records: From `records.frame_record`.

    Returns:
        image_id, day, camera, frame, person_id (N,) int64; keypoints_2d (N, 17, 3) pixels and visibility; keypoints_3d
        (N, 17, 3) metres in the camera's axes.
    """
    rows = [
        (
            image_id(r["day"], v + 1, r["number"]),
            r["day"],
            v + 1,
            r["number"],
            person,
            view["keypoints"]["h36m_17"][k],
            view["points"]["h36m_17"][k],
        )
        for r in records
        for v, view in enumerate(r["views"])
        for k, person in enumerate(view["person_ids"])
    ]
    columns = list(zip(*rows, strict=True)) if rows else [()] * 7
    names = ("image_id", "day", "camera", "frame", "person_id")
    arrays: dict[str, np.ndarray]
    arrays = {name: np.array(column, dtype=np.int64) for name, column in zip(names, columns, strict=False)}
    arrays["keypoints_2d"] = np.array(columns[5], dtype=np.float32).reshape(-1, 17, 3)
    arrays["keypoints_3d"] = np.array(columns[6], dtype=np.float32).reshape(-1, 17, 3)
    return arrays


def _image(record: dict, v: int, view: dict, parameters: dict) -> dict:
    width, height = parameters["size"]
    pose = np.array(view["pose"])
    which = record["day"], v + 1, record["number"]
    return {
        "id": image_id(*which),
        "file_name": file_name(*which),
        "width": width,
        "height": height,
        "day_id": record["day"],
        "cam_id": v + 1,
        "date_captured": "",
        "license": 1,
        "rights_holder": "",
        "camera": {"intrinsics": view["intrinsics"], "pose": pose.ravel().tolist()},
    }


def _poses3d(record: dict, flags: dict, key: str, count: int) -> list[dict]:
    """MVOR's 3D poses: millimetres in camera 1; CAMMA-10, then both hands, which take their wrists' flags."""
    room_to_first = np.linalg.inv(np.array(record["views"][0]["pose"]))
    poses: list[dict] = []
    for person, flag in sorted(flags.items()):
        about = record["people"][str(person)]
        points = np.array(about["camma"] + about["hands"]) @ room_to_first[:3, :3].T + room_to_first[:3, 3]
        flat = [
            n
            for p, f in zip(
                np.round(points * 1000, 3).tolist(), [*flag.tolist(), int(flag[8]), int(flag[9])], strict=True
            )
            for n in (*p, float(f))
        ]
        poses.append(
            {"id": str(count + len(poses)), "image_ids": key, "person_id": person, "ref_camera": 0, "keypoints3D": flat}
        )
    return poses


def _info(parameters: dict) -> dict:
    return {"description": "generated operating-room frames", "version": "2.0", **parameters}


def _category(skeleton: Skeleton) -> dict:
    return {
        "name": "person",
        "supercategory": "person",
        "keypoints": list(skeleton.joints),
        "skeleton": [[a + 1, b + 1] for a, b in skeleton.limbs],
    }


def _flat(joints: list[list[float]]) -> list[float]:
    """x, y, v, x, y, v, ... with whole v, as COCO has it."""
    return [number for x, y, v in joints for number in (x, y, int(v))]
