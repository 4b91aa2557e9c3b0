"""Who is who across the cameras of an annotation file in MVOR's form, as a file of identities."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.io.coco_results import has_boxes, load_box_results, load_keypoint_results
from orplugins.io.cross_view import write_cross_view
from orplugins.io.json_fields import field, load_json, numbers
from orplugins.multiview.cross_view import Seen, Who, who_is_who
from orplugins.multiview.floor_places import FloorPlaces
from orplugins.multiview.mvor import pinholes
from orplugins.multiview.own_rig import floor_from_boxes, floor_from_people, own_rig, people_points
from orplugins.mvor.annotations import MVORAnnotations, load_mvor
from orplugins.skeletons import CAMMA_10, COCO_17, convert

_HIDDEN = 0.4  # confidence of an annotated joint that nobody saw


@dataclass(frozen=True)
class AssociateSettings:
    """What :func:`associate_views` works on.

    Attributes:
        annotations: A file in MVOR's form: images, moments, cameras; its people, whose identities are not looked at.
        out: The file that is written, see :mod:`orplugins.io.cross_view`.
        detections: Poses or boxes of any detector on its images (a COCO result list) in place of its people.
        poses_only: Leave out people who have a box only.
        calibrated: Use the file's cameras; else they are found from the poses.
        boxes_only: Leave out all poses: people are boxes. Needs the cameras.
    """

    annotations: str | os.PathLike
    out: str | os.PathLike
    detections: str | os.PathLike | None = None
    poses_only: bool = False
    calibrated: bool = True
    boxes_only: bool = False

    def __post_init__(self):
        if self.boxes_only and (self.poses_only or not self.calibrated):
            raise ValueError(
                "boxes alone: expected neither --poses-only nor --without-calibration besides --boxes-only"
            )


@dataclass(frozen=True)
class Association:
    """What :func:`associate_views` found.

    Attributes:
        moments: Number of moments.
        boxes: People in all images.
        people: Those who are in two images of a moment or more, by their number of images.
        cameras: That were used; metres.
        own: They were found from the poses.
    """

    moments: int
    boxes: int
    people: dict[int, int]
    cameras: list[Camera]
    own: bool

    def __str__(self) -> str:
        several = ", ".join(f"{count} in {views}" for views, count in sorted(self.people.items(), reverse=True))
        text = f"{self.moments} moments, {self.boxes} boxes: people in several views: {several or 'none'}"
        if self.own:
            centres = [camera.pose[:3, 3] for camera in self.cameras]
            focal = ", ".join(f"{camera.fx:.0f}" for camera in self.cameras)
            apart = ", ".join(f"{np.linalg.norm(c - centres[0]):.2f}" for c in centres[1:])
            text += f"\nrig from the poses: focal lengths {focal} px, {apart} m from the first camera (by usual bones)"
        return text


def associate_views(settings: AssociateSettings) -> Association:
    """Associate people across views and write who is who.

    Args:
        settings: Files and options.

    Returns:
        What was found.

    Raises:
        FileNotFoundError, ValueError: A file that is not there or not of its form; no moments or cameras in it; nobody;
            too few poses to find the cameras or the floor.
    """
    data = load_mvor(settings.annotations)
    records, poses = _people(data) if settings.detections is None else _detected(settings.detections, data)
    if settings.boxes_only:
        poses = np.zeros_like(poses)
    posed = np.any(poses[..., 2] > 0, axis=1)
    rows: dict[int, list[int]] = {}
    for k, record in enumerate(records):
        if posed[k] or not settings.poses_only:
            rows.setdefault(record["image_id"], []).append(k)
    if not rows:
        raise ValueError(f"{settings.detections or settings.annotations}: nobody to associate")
    boxes = np.array([record["bbox"] for record in records], dtype=np.float64).reshape(-1, 4)
    frames = data.need("frames")
    numbers = [[np.array(rows.get(i, []), dtype=np.int64) for i in frame.image_ids] for frame in frames]
    moments = [[Seen(boxes[k], poses[k]) for k in views] for views in numbers]
    cameras, who = _associate(data, moments, settings.calibrated)
    persons = np.full(len(records), -1)
    pairs: list[tuple[int, int, float]] = []
    counts: dict[int, int] = {}
    for views, found in zip(numbers, who, strict=True):
        for person, members in enumerate(found.people):
            persons[[views[v][i] for v, i in members]] = person
            counts[len(members)] = counts.get(len(members), 0) + 1
        alone = [k for view in views for k in view if persons[k] < 0]
        persons[alone] = np.arange(len(found.people), len(found.people) + len(alone))
        pairs += [(int(views[a][i]), int(views[b][j]), score) for ((a, i), (b, j)), score in found.scores.items()]
    kept = np.flatnonzero(persons >= 0)
    place = {int(k): n for n, k in enumerate(kept)}
    write_cross_view(
        settings.out,
        [records[k] for k in kept],
        persons[kept],
        [(place[a], place[b], score) for a, b, score in pairs],
        {
            "truth": str(settings.annotations),
            "detections": settings.detections and str(settings.detections),
            "calibration": "the file's" if settings.calibrated else "from the poses",
        },
    )
    return Association(len(frames), len(kept), counts, cameras, not settings.calibrated)


def _associate(
    data: MVORAnnotations, moments: Sequence[Sequence[Seen]], calibrated: bool
) -> tuple[list[Camera], list[Who]]:
    boxes_only = any(len(view.boxes) and not view.posed.all() for views in moments for view in views)
    if calibrated:
        cameras = list(pinholes(data.need("cameras")))
        who = who_is_who(cameras, moments)
        if boxes_only:
            someone = any(view.posed.any() for views in moments for view in views)
            if someone:
                floor = floor_from_people(people_points(cameras, moments, who))
            else:
                floor = floor_from_boxes(cameras, moments, _up(data))
            cameras = [replace(camera, pose=floor @ camera.pose) for camera in cameras]
    else:
        shape = {image["id"]: (image["width"], image["height"]) for image in data.images}
        cameras, who = own_rig([shape[i] for i in data.need("frames")[0].image_ids], moments)
    return cameras, who_is_who(cameras, moments, FloorPlaces(cameras)) if boxes_only else who


def _up(data: MVORAnnotations) -> np.ndarray:
    """(3,) the room's vertical in the cameras' world, by the file's transform from the first camera to the room."""
    info = field(load_json(data.path), "cameras_info", str(data.path))
    params = field(info, "camParams", f"{data.path}: cameras_info")
    return numbers(params, "firstCamToRoomRef", 16, f"{data.path}: cameras_info.camParams").reshape(4, 4)[2, :3]


def _people(data: MVORAnnotations) -> tuple[list[dict], np.ndarray]:
    """The annotated people; who they are is not looked at."""
    records = data.box_persons()
    poses = np.array([person["keypoints"] for person in records], dtype=np.float64).reshape(-1, CAMMA_10.num_joints, 3)
    only_box = np.array([bool(person.get("only_bbox", 0)) for person in records], dtype=bool)
    poses[..., 2] = np.where(poses[..., 2] == 1, _HIDDEN, np.minimum(poses[..., 2], 1.0))
    poses[only_box] = 0
    return records, poses


def _detected(path: str | os.PathLike, data: MVORAnnotations) -> tuple[list[dict], np.ndarray]:
    if has_boxes(path):
        boxes = load_box_results(path)
        poses = np.zeros((len(boxes), CAMMA_10.num_joints, 3))
        records = [{"id": k, "image_id": box["image_id"], "bbox": list(box["bbox"])} for k, box in enumerate(boxes)]
    else:
        found = load_keypoint_results(path, sizes=(51, 30))
        skeleton = COCO_17 if found.keypoints.shape[1] == COCO_17.num_joints else CAMMA_10
        there = (found.keypoints[..., :2] != 0).any(-1)
        joints = np.where(there[..., None], found.keypoints, 0.0)
        # A found joint without a score counts with 1, as in the files that have none.
        joints[..., 2] = np.where(there & (joints[..., 2] <= 0), 1.0, joints[..., 2])
        poses = convert(joints, skeleton, CAMMA_10)
        poses[..., 2] = np.clip(poses[..., 2], 0, 1)
        records = []
        for k, (image, person) in enumerate(zip(found.image_ids.tolist(), joints, strict=True)):
            xy = person[person[:, 2] > 0, :2]
            low, high = (xy.min(0), xy.max(0)) if len(xy) else (np.zeros(2), np.zeros(2))
            records.append({"id": k, "image_id": image, "bbox": [*low.tolist(), *(high - low).tolist()]})
    known = set(data.image_ids)
    if records and not any(record["image_id"] in known for record in records):
        raise ValueError(f"{path}: none of {len(records)} detections is in an image of {data.path}")
    kept = [k for k, record in enumerate(records) if record["image_id"] in known]
    return [records[k] for k in kept], poses[kept]
