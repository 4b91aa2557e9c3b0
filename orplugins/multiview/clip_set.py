"""A motion set of the synthetic operating room (tools/make_or_dataset.py --motion), clip by clip."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.io.coco_results import load_keypoint_results
from orplugins.io.images import image_path, natural_key
from orplugins.io.json_fields import entries, field, integer, load_json, numbers, text
from orplugins.io.safe_names import safe_name

FPS = 25.0


@dataclass(frozen=True)
class SetClip:
    """One clip.

    Attributes:
        day: Its number.
        cameras: V, in the room's axes.
        files: V lists of F paths of depth images.
        image_ids: (V, F).
        labels: For every frame V arrays (N, 17, 3), COCO-17: x, y, 0 where no annotator could place a joint.
        people: Identities that are seen in it, patients left out (they do not move); names that can be part of a path.
        truth: {person: (F, 17, 3)} metres in the room, COCO-17, NaN in frames where no image shows the person.
        lifted_truth: The same in Human3.6M's joints.
        pixels: {person: (V, F, 17, 3)}, the person's labels; zeros where not seen.
        patient: (F, 17, 3), as ``truth``, of who lies on the table: NaN where nobody does.
    """

    day: int
    cameras: list[Camera]
    files: list[list[Path]]
    image_ids: np.ndarray
    labels: list[list[np.ndarray]]
    people: list[str]
    truth: dict[str, np.ndarray]
    lifted_truth: dict[str, np.ndarray]
    pixels: dict[str, np.ndarray]
    patient: np.ndarray

    @property
    def frames(self) -> int:
        """Number of frames F."""
        return self.image_ids.shape[1]


def read_motion_set(folder: str | os.PathLike) -> list[SetClip]:
    """Read all clips of a set.

    Args:
        folder: The set.

    Returns:
        Clips by day.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A set without motion or without fixed cameras; a frame that is not in every view; a field that is
            missing or of another kind.
    """
    folder = Path(folder)
    path = folder / "annotations/coco17.json"
    data = load_json(path)
    images: dict[int, dict[tuple[int, int], dict]] = {}
    for k, image in enumerate(entries(field(data, "images", str(path)), f"{path}: images")):
        here = f"{path}: images[{k}]"
        day, camera, image_id = (integer(image, name, here) for name in ("day_id", "cam_id", "id"))
        number_ = camera, image_id % 10**7
        if number_ in images.setdefault(day, {}):
            raise ValueError(f"{here}: day {day}, camera {camera} and frame {number_[1]} occur twice")
        images[day][number_] = {
            "id": image_id,
            "path": image_path(folder, text(image, "file_name", here), here),
            "camera": _camera(image, here),
        }
    known = {image["id"] for views in images.values() for image in views.values()}
    records: dict[int, list[dict]] = {}
    for k, annotation in enumerate(entries(field(data, "annotations", str(path)), f"{path}: annotations")):
        here = f"{path}: annotations[{k}]"
        image_id = integer(annotation, "image_id", here)
        if image_id not in known:
            raise ValueError(f"{here}: 'image_id' is {image_id}, expected the id of an image of the file")
        records.setdefault(image_id, []).append(_record(annotation, here))
    return [_clip(path, day, images[day], records) for day in sorted(images)]


def _record(annotation: dict, where: str) -> dict:
    record: dict = {"keypoints": numbers(annotation, "keypoints", 51, where).reshape(17, 3), "person": None}
    if "keypoints_3d" in annotation:
        record["keypoints_3d"] = numbers(annotation, "keypoints_3d", 51, where).reshape(17, 3)
    if annotation.get("person_role") != "patient":
        record["person"] = safe_name(field(annotation, "person_id", where), f"{where}: 'person_id'")
        for name in ("keypoints_3d", "h36m_3d"):
            record[name] = numbers(annotation, name, 51, where).reshape(17, 3)
    return record


def _clip(path: Path, day: int, images: dict, records: dict) -> SetClip:
    numbers_ = sorted({number for _, number in images})
    views = sorted({camera for camera, _ in images})
    missing = [(v, n) for v in views for n in numbers_ if (v, n) not in images]
    if missing or numbers_ != list(range(len(numbers_))) or len(numbers_) < 2:
        raise ValueError(
            f"{path}: day {day} has {len(numbers_)} frames of {len(views)} cameras, {len(missing)} "
            "images missing; expected a clip of a motion set, every frame in every view"
        )
    cameras = []
    for view in views:
        poses = {tuple(images[view, n]["camera"].pose.ravel()) for n in numbers_}
        if len(poses) != 1:
            raise ValueError(f"{path}: day {day}: camera {view} has {len(poses)} places, expected one that stays")
        cameras.append(images[view, 0]["camera"])
    labels: list[list[np.ndarray]] = []
    truth: dict[str, dict[str, np.ndarray]] = {}
    patient = np.full((len(numbers_), 17, 3), np.nan)
    for n in numbers_:
        labels.append([])
        for v, view in enumerate(views):
            rows = records.get(images[view, n]["id"], [])
            labels[-1].append(np.array([row["keypoints"] for row in rows]).reshape(-1, 17, 3))
            for row, joints in zip(rows, labels[-1][-1], strict=True):
                if row["person"] is None:
                    if "keypoints_3d" in row:
                        patient[n] = cameras[v].camera_to_world(row["keypoints_3d"])
                    continue
                if sum(other["person"] == row["person"] for other in rows) > 1:
                    raise ValueError(f"{path}: image {images[view, n]['id']} has person {row['person']} twice")
                person = truth.setdefault(
                    row["person"],
                    {
                        "coco": np.full((len(numbers_), 17, 3), np.nan),
                        "h36m": np.full((len(numbers_), 17, 3), np.nan),
                        "pixels": np.zeros((len(views), len(numbers_), 17, 3)),
                    },
                )
                for name, key in (("coco", "keypoints_3d"), ("h36m", "h36m_3d")):
                    person[name][n] = cameras[v].camera_to_world(row[key])
                person["pixels"][v, n] = joints
    return SetClip(
        day,
        cameras,
        [[images[view, n]["path"] for n in numbers_] for view in views],
        np.array([[images[view, n]["id"] for n in numbers_] for view in views]),
        labels,
        sorted(truth, key=natural_key),
        {k: person["coco"] for k, person in truth.items()},
        {k: person["h36m"] for k, person in truth.items()},
        {k: person["pixels"] for k, person in truth.items()},
        patient,
    )


def _camera(image: dict, where: str) -> Camera:
    camera = field(image, "camera", where)
    fx, fy, cx, cy = numbers(camera, "intrinsics", 4, f"{where}: camera")
    pose = numbers(camera, "pose", 16, f"{where}: camera").reshape(4, 4)
    # The file's camera belongs to images of the set's size.
    size = integer(image, "width", where), integer(image, "height", where)
    try:
        return Camera(fx=fx, fy=fy, cx=cx, cy=cy, size=size, pose=pose)
    except ValueError as error:
        raise ValueError(f"{where}: {' '.join(str(error).split())}") from None


def detections_of(clip: SetClip, path: str | os.PathLike) -> list[list[np.ndarray]]:
    """Detections of a clip, from a COCO result list on the set's images.

    Args:
        clip: The clip.
        path: JSON file.

    Returns:
        For every frame V arrays (N, 17, 3) x, y, score.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: As in `orplugins.io.coco_results.load_keypoint_results`; or none of its images is in the clip.
    """
    results = load_keypoint_results(path)
    if not np.isin(results.image_ids, clip.image_ids).any():
        raise ValueError(f"{path}: no detection in any image of clip {clip.day}")
    rows = {i: results.keypoints[results.image_ids == i] for i in clip.image_ids.ravel()}
    return [[rows[i] for i in frame] for frame in clip.image_ids.T]


def noisy_labels(clip: SetClip, noise_px: float, rng: np.random.Generator) -> list[list[np.ndarray]]:
    """The labels as detections with white noise.

    Args:
        clip: The clip.
        noise_px: Standard deviation, pixels of an image 640 wide.
        rng: Source of all randomness.

    Returns:
        For every frame V arrays (N, 17, 3) x, y, score.
    """

    def seen(view: np.ndarray, camera: Camera) -> np.ndarray:
        pixels = view[..., :2] + rng.normal(0, noise_px * camera.size[0] / 640, (*view.shape[:2], 2))
        return np.where(view[..., 2:] > 0, np.concatenate([pixels, np.ones((*view.shape[:2], 1))], -1), 0.0)

    return [[seen(view, camera) for view, camera in zip(frame, clip.cameras, strict=True)] for frame in clip.labels]
