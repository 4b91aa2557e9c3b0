"""What the annotation files need of a frame, as plain numbers: made by workers, kept as notes, merged at the end."""

from __future__ import annotations

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.io.coco_masks import run_lengths
from orplugins.skeletons import CAMMA_10
from orplugins.synthetic.render.annotate import body_joints
from orplugins.synthetic.render.frames import Frame
from orplugins.synthetic.scene.scene import Scene


def frame_record(day: int, number: int, scene: Scene, frames: list[Frame], hips: str, masks: bool) -> dict:
    """The record of one moment: its images with their people; and in the room, each person that any image shows.

    Args:
        day: From 1 on.
        number: Of the frame.
        scene: The moment.
        frames: Its images, one per camera.
        hips: See `annotate.annotate`.
        masks: Keep the people's masks.

    Returns:
        JSON values.
    """
    shown = sorted({int(i) for frame in frames for i in frame.view.person_ids})
    people = {person.id: person for person in scene.people}
    return {
        "day": day,
        "number": number,
        "views": [_view_record(frame, masks) for frame in frames],
        "people": {
            str(i): {
                "role": people[i].role,
                "kind": people[i].kind,
                "style": people[i].style,
                "camma": _rounded(body_joints(people[i].body, CAMMA_10.name, hips), 5),
                "coco": _rounded(people[i].body.joints, 5),
                "h36m": _rounded(body_joints(people[i].body, "h36m_17"), 5),
                "hands": _rounded(people[i].body.hands, 5),
            }
            for i in shown
        },
    }


def _view_record(frame: Frame, masks: bool) -> dict:
    view, camera = frame.view, frame.camera
    record = {
        "pose": _rounded(camera.pose, 9),
        "intrinsics": [camera.fx, camera.fy, camera.cx, camera.cy],
        "person_ids": view.person_ids.tolist(),
        "keypoints": {name: _rounded(points, 3) for name, points in view.keypoints.items()},
        "points": {name: _rounded(camera.world_to_camera(points), 5) for name, points in view.points.items()},
        "bboxes": _rounded(view.bboxes, 3),
        "full_bboxes": _rounded(view.full_bboxes, 3),
        "areas": view.areas.tolist(),
        "median_depth": float(np.median(frame.depth_mm[frame.depth_mm > 0])) / 1000 if frame.depth_mm.any() else 0.0,
    }
    if masks:
        record["masks"] = [run_lengths(frame.instances == i) for i in view.person_ids]
    return record


def record_camera(view: dict, size: tuple[int, int]) -> Camera:
    """The camera of an image's record; its pose is in the room.

    Args:
        view: One of the record's `views`.
        size: (width, height) of the image.

    Returns:
        The camera.
    """
    fx, fy, cx, cy = view["intrinsics"]
    return Camera(fx=fx, fy=fy, cx=cx, cy=cy, size=size, pose=np.array(view["pose"]))


def _rounded(array: np.ndarray, digits: int) -> list:
    return np.round(np.asarray(array, dtype=np.float64), digits).tolist()
