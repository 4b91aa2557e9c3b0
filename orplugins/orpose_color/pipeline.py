"""ORPose-Color's jobs: poses of people in colour pictures, labels by a teacher, training of the lifting network."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from orplugins.device import choose_device
from orplugins.io.atomic import write_json
from orplugins.io.images import find_pictures, read_image, write_image
from orplugins.io.video import VIDEO_SUFFIXES, read_video, write_video
from orplugins.orpose_color.lifting import coco_to_h36_present
from orplugins.skeletons import COCO_17, H36M_17
from orplugins.viz.overlay import draw_pose


@dataclass(frozen=True)
class ColorSettings:
    """How :func:`infer_color` finds and draws poses.

    Attributes:
        config: A detectron2 config, a file.
        weights: The student's checkpoint.
        statistics: ``h36stats.json``; None where the weights store their own.
        size: (width, height) in pixels to which every picture is resized before the network sees it.
        threshold: Minimum score of a person.
        fps: Frames per second of the video.
        device: See `orplugins.device.choose_device`.
    """

    config: str
    weights: str
    statistics: str | None = None
    size: tuple[int, int] = (640, 480)
    threshold: float = 0.5
    fps: float = 20.0
    device: str = "auto"


@dataclass(frozen=True)
class ColorPoses:
    """People of one picture.

    Attributes:
        name: The picture's path, or the video's name, ``#`` and the frame's number.
        size: (width, height) of the picture in its file.
        boxes: (N, 4) x1, y1, x2, y2 in pixels of the resized picture, as are
        keypoints: (N, 17, 3) x, y, score; a pixel's centre is its index + 0.5.
        poses_3d: (N, 17, 3) metres from the pelvis, Human3.6M's order.
        scores: (N,).
    """

    name: str
    size: tuple[int, int]
    boxes: np.ndarray
    keypoints: np.ndarray
    poses_3d: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True)
class ColorResult:
    """What :func:`infer_color` wrote.

    Attributes:
        poses: The file of poses.
        overlays: The folder of drawn pictures.
        video: The video, None if there was no picture.
        pictures: Number of pictures and frames.
        people: Number of people in all of them.
        failed: Error by the input's path.
    """

    poses: Path
    overlays: Path
    video: Path | None
    pictures: int
    people: int
    failed: dict[str, str] = field(default_factory=dict)


def infer_color(
    inputs: Sequence[str | os.PathLike],
    out: str | os.PathLike,
    settings: ColorSettings,
) -> ColorResult:
    """Find the 2D and 3D poses of people in pictures and videos; write them, then draw them.

    ``poses.json`` is complete before the first picture is drawn, so that an encoder that fails costs no pose. The
    inputs are read twice for that.

    Args:
        inputs: Pictures, folders of them, videos.
        out: Folder for ``poses.json`` (COCO's form with ``h36m_3d``), ``overlays/*.png`` and ``poses.mp4``.
        settings: See :class:`ColorSettings`.

    Raises:
        FileNotFoundError: An input, the config or the weights are missing.
        ValueError: The config or the weights do not fit, or the video cannot be written; poses are there then.
    """
    predict, out = load_predictor(settings), Path(out)
    failed: dict[str, str] = {}
    found = [
        _people_above(name, picture, predict([enlarge(picture, settings.size)])[0], settings.threshold)
        for name, picture in _bar(read_pictures(inputs, failed), "poses")
    ]
    result = ColorResult(
        out / "poses.json",
        out / "overlays",
        out / "poses.mp4" if found else None,
        len(found),
        sum(len(each.scores) for each in found),
        failed,
    )
    write_color_poses(result.poses, found, settings.size, failed)
    if found:
        drawings = _drawings(_bar(read_pictures(inputs, {}), "overlays"), found, settings.size, result.overlays)
        write_video(result.video, drawings, settings.fps)
    return result


def load_predictor(settings: ColorSettings) -> Callable[[list[np.ndarray]], list]:
    """Return the student as a function: pictures (H, W, 3) uint8 BGR to detectron2's instances of each."""
    from orplugins.hosts.detectron2.predictor import Predictor, read_model_config

    options = ["DATASETS.H36_STATS_PATH", str(settings.statistics)] if settings.statistics else []
    device = choose_device(settings.device)
    cfg = read_model_config(str(settings.config), str(settings.weights), device, options)
    return Predictor(cfg, native=True)


def read_pictures(inputs: Sequence[str | os.PathLike], failed: dict[str, str]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (name, picture) of everything that can be read; errors go into `failed` by the input's path."""
    for path in find_pictures(inputs):
        try:
            if path.suffix.lower() in VIDEO_SUFFIXES:
                for number, picture in enumerate(read_video(path)):
                    yield f"{path.name}#{number:06d}", picture
            else:
                yield path.as_posix(), read_image(path)
        except ValueError as error:
            failed[str(path)] = str(error)


def enlarge(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize a picture (H, W, 3) uint8 to (width, height) by Pillow's bilinear filter, as the release does."""
    from PIL import Image

    if picture.shape[1::-1] == size:
        return picture
    return np.asarray(Image.fromarray(picture).resize(size, Image.BILINEAR))


def write_color_poses(
    path: str | os.PathLike, found: Sequence[ColorPoses], size: tuple[int, int], failed: dict[str, str]
) -> None:
    """Write poses in COCO's form: joints in the pixels of the pictures, counted from a pixel's centre.

    Args:
        path: The file.
        found: People of each picture, in pixels of
        size: (width, height) of the resized pictures.
        failed: Error by the input's path.
    """
    images, annotations = [], []
    for number, each in enumerate(found, start=1):
        images.append({"id": number, "file_name": each.name, "width": each.size[0], "height": each.size[1]})
        for person in _records(each, size):
            annotations.append({"id": len(annotations) + 1, "image_id": number, **person})
    category = {
        "id": 1,
        "name": "person",
        "keypoints": list(COCO_17.joints),
        "skeleton": [[a + 1, b + 1] for a, b in COCO_17.limbs],
        "h36m_3d": list(H36M_17.joints),
    }
    content = {"images": images, "annotations": annotations, "categories": [category], "failed": failed}
    write_json(path, content)


def _bar(pictures: Iterator, title: str) -> Iterator:
    from tqdm import tqdm

    return tqdm(pictures, unit="picture", desc=title, disable=None)


def _people_above(name: str, picture: np.ndarray, instances, threshold: float) -> ColorPoses:
    keep = instances.scores.numpy() >= threshold
    return ColorPoses(
        name,
        picture.shape[1::-1],
        instances.pred_boxes.tensor.numpy()[keep],
        instances.pred_keypoints.numpy()[keep],
        instances.pred_keypoints_3d.numpy()[keep],
        instances.scores.numpy()[keep],
    )


def _records(found: ColorPoses, size: tuple[int, int]) -> list[dict]:
    """Annotations of one picture, in the pixels of its file."""
    scale = np.array(found.size) / size
    people = []
    for k, score in enumerate(found.scores):
        box = found.boxes[k].reshape(2, 2) * scale
        joints = found.keypoints[k].astype(np.float64)
        joints[:, :2] = joints[:, :2] * scale - 0.5  # COCO counts from the pixel's centre
        people.append(
            {
                "category_id": 1,
                "iscrowd": 0,
                "score": round(float(score), 4),
                "bbox": np.round([*box[0], *(box[1] - box[0])], 3).tolist(),
                "area": round(float((box[1] - box[0]).prod()), 3),
                "keypoints": np.round(joints, 4).ravel().tolist(),
                "num_keypoints": 17,
                "h36m_3d": np.round(found.poses_3d[k], 5).ravel().tolist(),
            }
        )
    return people


def _drawings(
    pictures: Iterator[tuple[str, np.ndarray]], found: Sequence[ColorPoses], size: tuple[int, int], folder: Path
) -> Iterator[np.ndarray]:
    """Yield the resized pictures with their people drawn in; each is also written to the folder."""
    count = 0
    for name, picture in pictures:
        if count == len(found) or name != found[count].name:
            raise ValueError(f"{name}: has changed since its poses were found")
        drawn = enlarge(picture, size).copy()
        for keypoints, box in zip(found[count].keypoints, found[count].boxes, strict=True):
            draw_pose(drawn, coco_to_h36_present(keypoints), "h36", box)
        count += 1
        write_image(folder / f"{count:06d}.png", drawn)
        yield drawn
    if count < len(found):
        raise ValueError(f"{found[count].name}: could not be read a second time, to be drawn")
