"""The annotation file of MVOR (Multi-View Operating Room dataset; Srivastav et al. 2018, arXiv 1808.08180).

Facts about the file that surprise COCO tools: annotation ids start at 0, category ids are the string "1", image ids
exceed 32 bits, images are not sorted by id, annotations have neither `area` nor `iscrowd`, and lengths are in
millimetres. 3D joints keep that unit here, because the published errors are counted in it; cameras come in metres.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orplugins.geometry.cameras import Camera, cameras_from_mvor
from orplugins.io.json_fields import entries, field, integer, load_json, numbers, text

NUM_JOINTS = 10  # CAMMA-10
NUM_JOINTS_3D = 12  # CAMMA-10, then the left and the right hand


@dataclass(frozen=True)
class MVORFrame:
    """Images taken at one time.

    Attributes:
        id: The frame's id.
        image_ids: In camera order 1, 2, 3.
    """

    id: str
    image_ids: tuple[int, ...]


@dataclass(frozen=True)
class MVORPose3D:
    """A person in 3D.

    Attributes:
        id: The annotation's id.
        frame_id: Id of the multi-view frame.
        person_id: Links the person to its 2D annotations in the images of this frame; it is no identity over time.
        keypoints: (12, 4) X, Y, Z in millimetres in camera 1, whatever the file's `ref_camera` says; then the flag.
            CAMMA-10, then both hands. A joint at exactly (0, 0, 0) is missing although its flag says otherwise.
    """

    id: str
    frame_id: str
    person_id: int
    keypoints: np.ndarray

    @property
    def present(self) -> np.ndarray:
        """(12,) bool, which joints are annotated."""
        return (self.keypoints[:, :3] != 0).any(axis=1) & (self.keypoints[:, 3] > 0)


@dataclass(frozen=True)
class MVORAnnotations:
    """A validated annotation file.

    The parts for several views are None where the file has none (the depth release and generated sets): ask through
    `need`, which raises a clear error.

    Attributes:
        path: The file.
        images: The file's records in the file's order.
        annotations: The file's records in the file's order.
        frames: Multi-view frames.
        poses3d: People in 3D.
        cameras: Metres; camera 1 is their world.
    """

    path: str
    images: list[dict]
    annotations: list[dict]
    frames: tuple[MVORFrame, ...] | None
    poses3d: tuple[MVORPose3D, ...] | None
    cameras: tuple[Camera, ...] | None

    _KEYS = {"frames": "multiview_images", "poses3d": "annotations3D", "cameras": "cameras_info"}

    def need(self, part: str) -> tuple:
        """Take a part that a file may lack.

        Args:
            part: `frames`, `poses3d` or `cameras`.

        Returns:
            That part.

        Raises:
            ValueError: The file has no such part.
        """
        value = getattr(self, part)
        if value is None:
            raise ValueError(f"{self.path}: missing key '{self._KEYS[part]}', needed for multi-view or 3D data")
        return value

    @property
    def image_ids(self) -> list[int]:
        """Ids in the order of the file."""
        return [image["id"] for image in self.images]

    def keypoint_persons(self) -> tuple[np.ndarray, np.ndarray]:
        """People with 2D joints.

        Returns:
            Image ids (P,) int64 and joints (P, 10, 3) (x, y in pixels, v), in the order of the file.
        """
        persons = [person for person in self.annotations if not person.get("only_bbox", 0)]
        keypoints = np.array([person["keypoints"] for person in persons], dtype=np.float64)
        return (
            np.array([person["image_id"] for person in persons], dtype=np.int64),
            keypoints.reshape(-1, NUM_JOINTS, 3),
        )

    def box_persons(self) -> list[dict]:
        """Every annotation, checked to have a box.

        Returns:
            The file's records.

        Raises:
            ValueError: One has no `bbox`.
        """
        for i, person in enumerate(self.annotations):
            field(person, "bbox", f"{self.path}: annotations[{i}]")
        return self.annotations


def load_mvor(path: str | os.PathLike) -> MVORAnnotations:
    """Read and check an MVOR annotation file.

    Args:
        path: `camma_mvor_2018.json`, or a file of its form. `multiview_images`, `annotations3D` and `cameras_info` may
            be absent.

    Returns:
        The file's content.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: One line with file, entry, field, what was found and what was expected: not JSON, missing keys,
            wrong numbers of values, NaN or infinity, duplicate or unknown ids.
    """
    name = str(Path(path))
    data = load_json(path)
    images = _images(field(data, "images", name), f"{name}: images")
    known = {image["id"] for image in images}
    annotations = _annotations(field(data, "annotations", name), known, f"{name}: annotations")
    cameras = frames = poses3d = None
    if "cameras_info" in data:
        cameras = _cameras(data["cameras_info"], f"{name}: cameras_info")
    if "multiview_images" in data:
        views = len(cameras) if cameras else None
        frames = _frames(data["multiview_images"], known, views, f"{name}: multiview_images")
    if "annotations3D" in data:
        if frames is None:
            raise ValueError(f"{name}: has 'annotations3D' but not 'multiview_images', which its 'image_ids' refer to")
        poses3d = _poses3d(data["annotations3D"], {frame.id for frame in frames}, f"{name}: annotations3D")
    return MVORAnnotations(name, images, annotations, frames, poses3d, cameras)


def _images(value: object, where: str) -> list[dict]:
    images = entries(value, where)
    for i, image in enumerate(images):
        here = f"{where}[{i}]"
        integer(image, "id", here)
        text(image, "file_name", here)
        for side in ("width", "height"):
            if integer(image, side, here) <= 0:
                raise ValueError(f"{here}: '{side}' is {image[side]}, expected a positive number of pixels")
    _unique((image["id"] for image in images), where)
    return images


def _annotations(value: object, known: set[int], where: str) -> list[dict]:
    persons = entries(value, where)
    for i, person in enumerate(persons):
        here = f"{where}[{i}]"
        integer(person, "id", here)
        if integer(person, "image_id", here) not in known:
            raise ValueError(f"{here}: 'image_id' is {person['image_id']}, expected one of {len(known)} ids of images")
        if str(field(person, "category_id", here)) != "1":
            raise ValueError(f"{here}: 'category_id' is {person['category_id']!r}, expected \"1\" (person)")
        numbers(person, "keypoints", 3 * NUM_JOINTS, here)
        if "bbox" in person:
            box = numbers(person, "bbox", 4, here)
            if (box[2:] < 0).any():
                raise ValueError(f"{here}: 'bbox' is {person['bbox']}, expected x, y, width >= 0, height >= 0")
        if person.get("only_bbox", 0) not in (0, 1):
            raise ValueError(f"{here}: 'only_bbox' is {person['only_bbox']!r}, expected 0 or 1")
        if "person_id" in person:
            integer(person, "person_id", here)
    _unique((person["id"] for person in persons), where)
    return persons


def _frames(value: object, known: set[int], views: int | None, where: str) -> tuple[MVORFrame, ...]:
    frames = []
    for i, frame in enumerate(entries(value, where)):
        here = f"{where}[{i}]"
        images = entries(field(frame, "images", here), f"{here}.images")
        ids = tuple(integer(image, "id", f"{here}.images[{j}]") for j, image in enumerate(images))
        if views is not None and len(ids) != views:
            raise ValueError(f"{here}: 'images' has {len(ids)} entries, expected {views}, one per camera")
        for image_id in ids:
            if image_id not in known:
                raise ValueError(f"{here}: image id {image_id} is unknown, expected one of {len(known)} images")
        if text(frame, "id", here) != "_".join(map(str, ids)):
            raise ValueError(f"{here}: 'id' is {frame['id']!r}, expected the ids of its images joined by '_'")
        frames.append(MVORFrame(frame["id"], ids))
    _unique((frame.id for frame in frames), where)
    return tuple(frames)


def _poses3d(value: object, known: set[str], where: str) -> tuple[MVORPose3D, ...]:
    poses = []
    for i, pose in enumerate(entries(value, where)):
        here = f"{where}[{i}]"
        if text(pose, "image_ids", here) not in known:
            raise ValueError(f"{here}: 'image_ids' is {pose['image_ids']!r}, expected the id of a multi-view frame")
        keypoints = numbers(pose, "keypoints3D", 4 * NUM_JOINTS_3D, here).reshape(NUM_JOINTS_3D, 4)
        person_id = integer(pose, "person_id", here)
        poses.append(MVORPose3D(str(field(pose, "id", here)), pose["image_ids"], person_id, keypoints))
    _unique((pose.id for pose in poses), where)
    return tuple(poses)


def _cameras(value: object, where: str) -> tuple[Camera, ...]:
    params = field(value, "camParams", where)
    for key in ("intrinsics", "extrinsics"):
        if not isinstance(field(params, key, f"{where}.camParams"), list):
            raise ValueError(f"{where}.camParams: '{key}' is not a list, expected one entry per camera")
    try:
        return tuple(cameras_from_mvor(params, world="camera1"))
    except (ValueError, TypeError, AttributeError, LookupError, OverflowError) as error:  # of another form altogether
        raise ValueError(f"{where}: {' '.join(str(error).split())}") from None


def _unique(ids: Iterable, where: str) -> None:
    seen = set()
    for i, value in enumerate(ids):
        if value in seen:
            raise ValueError(f"{where}[{i}]: 'id' {value!r} occurs twice, expected ids to be unique")
        seen.add(value)
