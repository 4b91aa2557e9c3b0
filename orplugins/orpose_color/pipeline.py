"""ORPose-Color's jobs: poses of people in colour pictures, labels by a teacher, training of the lifting network."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from orplugins.device import choose_device
from orplugins.geometry.pose_error import mpjpe
from orplugins.io.atomic import atomic_write, write_json
from orplugins.io.images import find_pictures, read_image, write_image
from orplugins.io.video import VIDEO_SUFFIXES, read_video, write_video
from orplugins.orpose_color.annotations import image_width_of, lifting_pairs
from orplugins.orpose_color.label_store import LabelStore
from orplugins.orpose_color.lifting import PoseStatistics, coco_to_h36_present, statistics_of
from orplugins.orpose_color.statistics import load_statistics, save_statistics
from orplugins.orpose_color.teacher import ThreeStageTeacher, Thresholds, dropped_rows
from orplugins.skeletons import COCO_17, H36M_17
from orplugins.viz.overlay import draw_pose

if TYPE_CHECKING:
    from orplugins.orpose_color.network import LiftingNetwork

CASCADE = "Misc/cascade_mask_rcnn_X_152_32x8d_FPN_IN5k_gn_dconv.yaml"


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
    if result.video:
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
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR))


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
    images: list[dict] = []
    annotations: list[dict] = []
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


@dataclass(frozen=True)
class TeacherSettings:
    """What a teacher is made of; see :func:`label_pictures`.

    Attributes:
        pose: An mmpose config (.py) or a detectron2 keypoint config (.yaml).
        lifter: Weights of the lifting network, or a student's checkpoint.
        statistics: ``h36stats.json``, or what :func:`train_lifting_network` wrote.
        pose_weights: The pose network's weights; None: those that its config names.
        detector: A detectron2 config: a file or a name in the model zoo.
        detector_weights: Its weights; None: the model zoo's.
        thresholds: What becomes a label.
        batch: Pictures at a time.
        device: See `orplugins.device.choose_device`.
    """

    pose: str
    lifter: str
    statistics: str
    pose_weights: str | None = None
    detector: str = CASCADE
    detector_weights: str | None = None
    thresholds: Thresholds = Thresholds()
    batch: int = 4
    device: str = "auto"


@dataclass(frozen=True)
class LabelResult:
    """What :func:`label_pictures` wrote.

    Attributes:
        labels: The label file.
        given: Number of pictures that were to be labelled.
        pictures: Number of those that were.
        people: Number of people in them.
        hard_joints: Number of joints with a hard label.
        hard_poses: Number of people with a hard 3D label.
        dropped_rows: How many lifter rows training will leave out (`orplugins.orpose_color.teacher.dropped_rows`).
        failed: Error by the picture's name.
    """

    labels: Path
    given: int
    pictures: int
    people: int
    hard_joints: int
    hard_poses: int
    dropped_rows: int
    failed: dict[str, str]


def label_pictures(
    inputs: Sequence[str | os.PathLike],
    out: str | os.PathLike,
    settings: TeacherSettings,
    root: str | os.PathLike | None = None,
    rank: int = 0,
    world: int = 1,
) -> LabelResult | None:
    """Label pictures of people with a teacher: boxes, joints, 3D. A run that was stopped is continued.

    Args:
        inputs: Pictures, or folders of them.
        out: The label file.
        settings: See :class:`TeacherSettings`.
        root: Folder that names in the label file are relative to; None: the pictures' common folder.
        rank: This process of
        world: How many, that share the work; ``torch.distributed`` is set up for them here.

    Returns:
        What was written; None in all processes but the first.

    Raises:
        FileNotFoundError: An input, a config or weights are missing.
        ValueError: A picture is given twice, a file does not fit, or `out` was begun with other settings.
    """
    paths = find_pictures(inputs)
    base = Path(root) if root else Path(os.path.commonpath([path.resolve().parent for path in paths]))
    names = [Path(os.path.relpath(path.resolve(), base.resolve())).as_posix() for path in paths]
    if len(set(names)) != len(names):
        raise ValueError("a picture is given twice, expected each once")
    teacher = build_teacher(settings)
    if world > 1:
        import torch

        torch.distributed.init_process_group("gloo", timeout=timedelta(days=7))
    info = {
        "det_threshold": settings.thresholds.detection,
        "hard_threshold": settings.thresholds.hard,
        "lift_policy": settings.thresholds.lift,
        "min_hard_joints": settings.thresholds.min_hard_joints,
        "teacher": {
            "detector": [settings.detector, settings.detector_weights],
            "pose": [settings.pose, settings.pose_weights],
            "lifter": settings.lifter,
        },
        "stats_sha256": teacher.statistics.digest,
    }
    store = LabelStore(out, info, rank)
    mine = list(zip(names, paths, strict=True))[rank::world]
    _label(teacher, store, [each for each in mine if not store.is_done(each[0])], settings.batch, quiet=rank > 0)
    if world > 1:
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
    if rank:
        return None
    merged = store.merge(names)
    people = merged["annotations"]
    return LabelResult(
        Path(out),
        len(names),
        merged["images"],
        len(people),
        sum(person["num_keypoints"] for person in people),
        sum(any(person["keypoints2d_hard"]) for person in people),
        dropped_rows(people),
        merged["failed"],
    )


def build_teacher(settings: TeacherSettings) -> ThreeStageTeacher:
    """Load a teacher's three networks.

    Raises:
        FileNotFoundError: A config or weights are missing.
        ValueError: A file does not fit.
    """
    import torch

    from orplugins.hosts.detectron2.predictor import KeypointsInBoxes, PersonDetector, Predictor, read_model_config
    from orplugins.orpose_color.train_lifter import load_lifter

    device = choose_device(settings.device)
    statistics, network = load_statistics(settings.statistics), load_lifter(settings.lifter).to(device)

    def lift(rows: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return network(torch.as_tensor(rows, device=device)).cpu().numpy()

    detector = Predictor(read_model_config(settings.detector, settings.detector_weights, device))
    if settings.pose.endswith(".py"):
        from orplugins.hosts.mmpose.topdown import TeacherPose, TopdownRunner

        pose = TeacherPose(TopdownRunner(settings.pose, settings.pose_weights, device))
    elif (settings.pose, settings.pose_weights) == (settings.detector, settings.detector_weights):
        pose = KeypointsInBoxes(detector)
    else:
        pose = KeypointsInBoxes(Predictor(read_model_config(settings.pose, settings.pose_weights, device)))
    return ThreeStageTeacher(PersonDetector(detector), pose, lift, statistics, settings.thresholds)


def _label(
    teacher: ThreeStageTeacher, store: LabelStore, todo: list[tuple[str, Path]], batch: int, quiet: bool
) -> None:
    """Label pictures (name, path); one that cannot be read or labelled is noted and does not stop the others."""
    from tqdm import tqdm

    with tqdm(total=len(todo), unit="picture", disable=quiet or None) as bar:
        for start in range(0, len(todo), batch):
            images = []
            for name, path in todo[start : start + batch]:
                try:
                    images.append((name, read_image(path)))
                except ValueError as error:
                    store.fail(name, str(error))
            try:
                found = teacher.label([image for _, image in images]) if images else []
                labelled = list(zip(images, found, strict=True))
            except (ValueError, RuntimeError):  # find out which of them it was
                labelled = []
                for name, image in images:
                    try:
                        labelled.append(((name, image), teacher.label([image])[0]))
                    except (ValueError, RuntimeError) as error:
                        store.fail(name, f"{type(error).__name__}: {error}")
            for (name, image), annotations in labelled:
                height, width = image.shape[:2]
                store.add(name, height, width, annotations)
            bar.update(len(todo[start : start + batch]))


@dataclass(frozen=True)
class LifterResult:
    """What :func:`train_lifting_network` wrote.

    Attributes:
        weights: The network.
        statistics: What it was normalised with.
        report: Number of pairs, and errors in millimetres by name; also a file.
    """

    weights: Path
    statistics: Path
    report: dict[str, float]


def train_lifting_network(
    annotations: Sequence[str | os.PathLike],
    out: str | os.PathLike,
    *,
    validation: str | os.PathLike | None = None,
    statistics: str | os.PathLike | None = None,
    width: int = 1024,
    dropout: float = 0.5,
    epochs: int = 40,
    image_width: float | None = None,
    seed: int = 0,
    device: str = "auto",
) -> LifterResult:
    """Train the network that lifts 2D joints to 3D, on annotations with both.

    Args:
        annotations: COCO-style files whose annotations have ``keypoints`` and ``h36m_3d``.
        out: Folder for ``lifter.pth``, ``statistics.json`` and ``report.json``.
        validation: Another such file, whose error is measured.
        statistics: Normalise with this file; None: with statistics of the pairs themselves.
        width: Features of a hidden layer.
        dropout: Probability.
        epochs: Passes over the pairs.
        image_width: Pixels; None: the files' own.
        seed: Of weights, order and noise.
        device: See `orplugins.device.choose_device`.

    Raises:
        FileNotFoundError: No such file.
        ValueError: A file has no pairs, or pictures have several widths.
    """
    import torch
    from tqdm import tqdm

    from orplugins.orpose_color.train_lifter import fit_lifter

    out = Path(out)
    keypoints, poses = (
        np.concatenate(column) for column in zip(*(lifting_pairs(path) for path in annotations), strict=True)
    )
    norms = load_statistics(statistics) if statistics else statistics_of(keypoints, poses)
    image_width = image_width or image_width_of(annotations)
    held_out = lifting_pairs(validation) if validation else None
    with tqdm(total=epochs, unit="epoch", disable=None) as bar:

        def progress(epoch: int, loss: float) -> None:
            bar.set_postfix(loss=f"{loss:.4f}")
            bar.update()

        network = fit_lifter(
            keypoints,
            poses,
            norms,
            image_width=image_width,
            width=width,
            dropout=dropout,
            epochs=epochs,
            seed=seed,
            device=choose_device(device),
            progress=progress,
        )
    report = {"pairs": len(keypoints), "train_mpjpe_mm": _lifting_error(network, norms, keypoints, poses)}
    if held_out:
        relative = held_out[1] - held_out[1][:, :1]
        mean = np.repeat(norms.pose(np.zeros((1, 48))), len(relative), axis=0)
        report["val_pairs"] = len(relative)
        report["val_mpjpe_mm"] = _lifting_error(network, norms, *held_out)
        report["val_mpjpe_of_the_mean_pose_mm"] = mpjpe(mean, relative)
    with atomic_write(out / "lifter.pth", "wb") as file:
        torch.save(network.state_dict(), file)
    save_statistics(out / "statistics.json", norms)
    write_json(out / "report.json", report, indent=1)
    return LifterResult(out / "lifter.pth", out / "statistics.json", report)


def _lifting_error(
    network: LiftingNetwork, statistics: PoseStatistics, keypoints: np.ndarray, poses: np.ndarray
) -> float:
    """MPJPE in millimetres over the 17 joints, relative to the pelvis."""
    import torch

    with torch.no_grad():
        found = network.cpu()(torch.tensor(statistics.normalise_row(keypoints), dtype=torch.float32)).numpy()
    return mpjpe(statistics.pose(found), poses - poses[:, :1])
