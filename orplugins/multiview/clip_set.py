"""A motion set of the synthetic operating room (tools/make_or_dataset.py --motion), clip by clip."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.io.coco_results import load_keypoint_results
from orplugins.io.json_fields import entries, field, integer, load_json, numbers

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
        people: Identities that are seen in it, patients left out (they do not move).
        truth: {person: (F, 17, 3)} metres in the room, COCO-17, NaN in frames where no image shows the person.
        lifted_truth: The same in Human3.6M's joints.
        pixels: {person: (V, F, 17, 3)}, the person's labels; zeros where not seen.
    """

    day: int
    cameras: list[Camera]
    files: list[list[Path]]
    image_ids: np.ndarray
    labels: list[list[np.ndarray]]
    people: list[int]
    truth: dict[int, np.ndarray]
    lifted_truth: dict[int, np.ndarray]
    pixels: dict[int, np.ndarray]

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
        ValueError: A set without motion or without fixed cameras; a frame that is not in every view.
    """
    folder = Path(folder)
    path = folder / "annotations/coco17.json"
    data = load_json(path)
    images: dict[int, dict[tuple[int, int], dict]] = {}
    for k, image in enumerate(entries(field(data, "images", str(path)), f"{path}: images")):
        here = f"{path}: images[{k}]"
        day, camera, image_id = (integer(image, name, here) for name in ("day_id", "cam_id", "id"))
        images.setdefault(day, {})[camera, image_id % 10**7] = image
    records: dict[int, list[dict]] = {}
    for annotation in field(data, "annotations", str(path)):
        records.setdefault(annotation["image_id"], []).append(annotation)
    return [_clip(folder, path, day, images[day], records) for day in sorted(images)]


def _clip(folder: Path, path: Path, day: int, images: dict, records: dict) -> SetClip:
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
        poses = {tuple(images[view, n]["camera"]["pose"]) for n in numbers_}
        if len(poses) != 1:
            raise ValueError(f"{path}: day {day}: camera {view} has {len(poses)} places, expected one that stays")
        cameras.append(_camera(images[view, 0], f"{path}: day {day} camera {view}"))
    labels: list[list[np.ndarray]] = []
    truth: dict[int, dict[str, np.ndarray]] = {}
    for n in numbers_:
        labels.append([])
        for v, view in enumerate(views):
            rows = records.get(images[view, n]["id"], [])
            labels[-1].append(np.array([row["keypoints"] for row in rows], dtype=np.float64).reshape(-1, 17, 3))
            for row, joints in zip(rows, labels[-1][-1], strict=True):
                if row.get("person_role") == "patient":
                    continue
                person = truth.setdefault(
                    row["person_id"],
                    {
                        "coco": np.full((len(numbers_), 17, 3), np.nan),
                        "h36m": np.full((len(numbers_), 17, 3), np.nan),
                        "pixels": np.zeros((len(views), len(numbers_), 17, 3)),
                    },
                )
                for name, key in (("coco", "keypoints_3d"), ("h36m", "h36m_3d")):
                    person[name][n] = cameras[v].camera_to_world(np.array(row[key]).reshape(17, 3))
                person["pixels"][v, n] = joints
    return SetClip(
        day,
        cameras,
        [[folder / images[view, n]["file_name"] for n in numbers_] for view in views],
        np.array([[images[view, n]["id"] for n in numbers_] for view in views]),
        labels,
        sorted(truth),
        {k: person["coco"] for k, person in truth.items()},
        {k: person["h36m"] for k, person in truth.items()},
        {k: person["pixels"] for k, person in truth.items()},
    )


def _camera(image: dict, where: str) -> Camera:
    fx, fy, cx, cy = numbers(image["camera"], "intrinsics", 4, where)
    pose = numbers(image["camera"], "pose", 16, where).reshape(4, 4)
    # The file's camera belongs to images of the set's size.
    return Camera(fx=fx, fy=fy, cx=cx, cy=cy, size=(image["width"], image["height"]), pose=pose)


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
