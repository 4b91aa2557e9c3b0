"""What ORPose-Color takes out of files of people: CAMMA-10 joints, cameras, pairs to lift."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from orplugins.io.coco_people import load_people
from orplugins.io.json_fields import entries, field, load_json, numbers
from orplugins.mvor.camma import coco_to_camma
from orplugins.orpose_color.lifting import LIFTED_COCO_JOINTS


def camma_fields(person: dict) -> dict:
    """`CAMMA_FIELDS` of an annotation with `keypoints_3d`: its CAMMA-10 joints in 2D and, flagged as there, in 3D.

    Args:
        person: The annotation; its `keypoints` are taken as detectron2's loader gives them, 0.5 to the right of and
            below COCO's.

    Returns:
        Lists by field: 2D in pixels, 3D in metres in the camera's axes.
    """
    flat = np.array(coco_to_camma(np.reshape(person["keypoints"], (17, 3)), presence="score"))
    flat[:, 2] = np.floor(flat[:, 2])
    flat[flat[:, 2] > 0, :2] -= 0.5
    joints, there = np.reshape(person["keypoints_3d"], (17, 3)), np.ones(17)
    across = coco_to_camma(np.column_stack([joints[:, :2], there]), presence="score")
    away = coco_to_camma(np.column_stack([joints[:, 2], joints[:, 2], there]), presence="score")
    pose = np.column_stack([across[:, :2], away[:, 0], flat[:, 2] > 0])
    rows = {
        "keypoints2D_camma": flat,
        "keypoints3D_camma_projected_true": pose,
        "keypoints3D_camma_projected_allkps": pose,
    }
    return {key: value.ravel().tolist() for key, value in rows.items()}


def camera_of(image_id: int) -> int:
    """Camera that an MVOR image id names in its decimal digits 2 to 4.

    Args:
        image_id: The image.

    Returns:
        The camera's number from 1 on; 0 for an id without these digits.
    """
    digits = str(image_id)
    return int(digits[1:4]) if len(digits) >= 10 else 0


def intrinsics(data: dict, image_id: int, where: str) -> tuple[list[float], list[float]] | None:
    """Intrinsics of an image's camera.

    Args:
        data: Content of an annotation file, with MVOR's `cameras_info`.
        image_id: The image.
        where: The file, for errors.

    Returns:
        Focal lengths and principal point (x, y; pixels); None where the file has no cameras.

    Raises:
        ValueError: The id names no camera of the file, or a field is missing.
    """
    if "cameras_info" not in data:
        return None
    here = f"{where}: cameras_info.camParams"
    cameras = entries(field(field(data["cameras_info"], "camParams", here), "intrinsics", here), f"{here}.intrinsics")
    camera = camera_of(image_id)
    if not 1 <= camera <= len(cameras):
        raise ValueError(f"{where}: image id {image_id} names camera {camera}, expected 1 to {len(cameras)}")
    entry = cameras[camera - 1]
    return tuple(
        numbers(entry, key, 2, f"{here}.intrinsics[{camera - 1}]").tolist() for key in ("focallength", "principalpoint")
    )


def lifting_pairs(path: str | os.PathLike) -> tuple[np.ndarray, np.ndarray]:
    """Pairs to train a lifting network on: annotations with `h36m_3d` whose joints from ears to ankles are labelled.

    Args:
        path: A file that `orplugins.io.coco_people.load_people` reads.

    Returns:
        COCO joints (N, 17, 3) in continuous pixels (COCO's + 0.5), and H36M-17 poses (N, 17, 3) in millimetres.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Fewer than two pairs, or an invalid file.
    """
    keypoints, poses = [], []
    for person in load_people(path)["annotations"]:
        joints = np.reshape(person.get("keypoints", np.zeros(51)), (17, 3)).astype(np.float64)
        if "h36m_3d" in person and (joints[LIFTED_COCO_JOINTS, 2] > 0).all():
            joints[:, :2] += 0.5
            keypoints.append(joints)
            poses.append(1000 * np.reshape(person["h36m_3d"], (17, 3)))
    if len(keypoints) < 2:
        raise ValueError(f"{path}: {len(keypoints)} annotations have 'h36m_3d' and all joints, expected at least 2")
    return np.array(keypoints), np.array(poses)


def known_people(path: str | os.PathLike) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """People of a file by the name of their picture, as `orplugins.orpose_color.teacher` takes them.

    Args:
        path: A file that `orplugins.io.coco_people.load_people` reads.

    Returns:
        By ``file_name``, boxes (N, 4) x1, y1, x2, y2 and joints (N, 17, 3) in continuous pixels (COCO's + 0.5).

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: An invalid file.
    """
    content = load_people(path)
    people: dict[int, list] = {image["id"]: [] for image in content["images"]}
    for person in content["annotations"]:
        x, y, w, h = person["bbox"]
        if not person.get("iscrowd", 0):
            joints = np.reshape(person.get("keypoints", np.zeros(51)), (17, 3)) + (0.5, 0.5, 0)
            people[person["image_id"]].append(((x, y, x + w, y + h), joints))
    return {
        image["file_name"]: (
            np.array([box for box, _ in people[image["id"]]], dtype=np.float64).reshape(-1, 4),
            np.array([joints for _, joints in people[image["id"]]], dtype=np.float64).reshape(-1, 17, 3),
        )
        for image in content["images"]
    }


def image_width_of(paths: Sequence[str | os.PathLike]) -> float:
    """Return the width in pixels that all images of COCO-style files have.

    Raises:
        ValueError: They have several.
    """
    widths = {image["width"] for path in paths for image in load_json(path)["images"]}
    if len(widths) != 1:
        names = ", ".join(map(str, paths))
        raise ValueError(f"{names}: pictures have the widths {sorted(widths)}, expected one (or --image-width)")
    return float(widths.pop())
