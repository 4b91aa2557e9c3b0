"""ORPose-Color's jobs: poses of people in colour pictures, labels by a teacher, training of the lifting network."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from orplugins.adaptation.views import enlarge_mask, network_size
from orplugins.deploy.resize import resize
from orplugins.device import choose_device
from orplugins.geometry.pose_error import mpjpe
from orplugins.io.atomic import atomic_write, write_json
from orplugins.io.coco_masks import mask_of, run_lengths
from orplugins.io.frames import Frame, Source, find_sources, outside, read_frames
from orplugins.io.images import find_pictures, read_image, write_image
from orplugins.io.run_folder import lock_file, remove_leftovers, require_writable, run_folder
from orplugins.io.video import write_video
from orplugins.orpose_color.annotations import image_width_of, known_people, lifting_pairs
from orplugins.orpose_color.label_store import LabelStore
from orplugins.orpose_color.lifting import PoseStatistics, coco_to_h36_present, statistics_of
from orplugins.orpose_color.statistics import load_statistics, save_statistics
from orplugins.orpose_color.teacher import ThreeStageTeacher, Thresholds, dropped_rows
from orplugins.resources import shipped
from orplugins.skeletons import COCO_17, H36M_17
from orplugins.viz.masks import tint_people
from orplugins.viz.overlay import draw_pose

if TYPE_CHECKING:
    from orplugins.hosts.detectron2.predictor import Predictor
    from orplugins.orpose_color.network import LiftingNetwork

_STILLS_FPS = 20.0
CASCADE = "Misc/cascade_mask_rcnn_X_152_32x8d_FPN_IN5k_gn_dconv.yaml"


@dataclass(frozen=True)
class ColorSettings:
    """How :func:`infer_color` finds and draws poses.

    Attributes:
        config: A detectron2 config, a file; None: that of the network that ships.
        weights: The student's checkpoint; None: the shipped weights, if the config is None, too.
        statistics: ``h36stats.json``; None where the weights store their own.
        size: (width, height) in pixels to which every picture is resized before the network sees it; None keeps its
            proportions and makes the shorter side the config's ``INPUT.MIN_SIZE_TEST``, the longer one at most its
            ``INPUT.MAX_SIZE_TEST``.
        threshold: Minimum score of a person; None: the config's ``ORPLUGINS.ORPOSE_COLOR.LEAST_SCORE``.
        fps: Frames per second of the videos that are written; None: a clip's own, 20 for pictures.
        device: See `orplugins.device.choose_device`.
    """

    config: str | None = None
    weights: str | None = None
    statistics: str | None = None
    size: tuple[int, int] | None = None
    threshold: float | None = None
    fps: float | None = None
    device: str = "auto"


@dataclass(frozen=True)
class ColorPoses:
    """People of one picture.

    Attributes:
        name: The picture's path, or the end of the video's path that no other has, ``#`` and the frame's number.
        size: (width, height) of the picture in its file.
        seen: (width, height) of the resized picture.
        boxes: (N, 4) x1, y1, x2, y2 in pixels of the resized picture, as are
        keypoints: (N, 17, 3) x, y, score; a pixel's centre is its index + 0.5.
        poses_3d: (N, 17, 3) metres from the pelvis, Human3.6M's order; None where the network has none.
        scores: (N,).
        time: Seconds since a video's first frame; None for a picture.
        masks: COCO's run lengths of each person, in pixels of the file; None where the network has none.
    """

    name: str
    size: tuple[int, int]
    seen: tuple[int, int]
    boxes: np.ndarray
    keypoints: np.ndarray
    poses_3d: np.ndarray | None
    scores: np.ndarray
    time: float | None = None
    masks: tuple[dict, ...] | None = None


@dataclass(frozen=True)
class ColorResult:
    """What :func:`infer_color` wrote.

    Attributes:
        poses: The file of poses.
        overlays: The folder of drawn pictures.
        video: The first of the videos, None if there was no picture.
        videos: ``poses.mp4``; one for the pictures and one for each clip, where there are several.
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
    videos: tuple[Path, ...] = ()


def infer_color(
    inputs: Sequence[str | os.PathLike],
    out: str | os.PathLike,
    settings: ColorSettings,
) -> ColorResult:
    """Find the 2D and 3D poses of people in pictures and videos, and their masks; write them, then draw them.

    A network without lifting networks or without a mask head gives what it has.

    ``poses.json`` is complete before the first picture is drawn, so that an encoder that fails costs no pose. The
    inputs are read twice for that.

    Args:
        inputs: Pictures, folders of them, videos.
        out: Folder for ``poses.json`` (COCO's form with ``h36m_3d``, ``segmentation``), ``overlays/*.png`` and videos.
        settings: See :class:`ColorSettings`.

    Raises:
        FileNotFoundError: The config or the weights are missing.
        OSError: `out` cannot be written to.
        ValueError: No input is usable, the config or the weights do not fit, or a video cannot be written; poses are
            there then.
    """
    sources, unusable = find_sources(inputs, below=True)
    sources = outside(sources, out)
    if not sources:
        raise ValueError("; ".join(unusable) or "no picture and no video to work on")
    with run_folder(out) as out:
        predict = load_predictor(settings)
        failed = {line.partition(": ")[0]: line for line in unusable}
        found = [
            _people_above(source, frame, predict, settings)
            for source, frame in _bar(read_pictures(sources, failed), "poses")
        ]
        write_color_poses(out / "poses.json", [people for _, people in found], failed)
        videos = _draw(sources, found, out, settings) if found else ()
    return ColorResult(
        out / "poses.json",
        out / "overlays",
        videos[0] if videos else None,
        len(found),
        sum(len(people.scores) for _, people in found),
        failed,
        videos,
    )


def load_predictor(settings: ColorSettings) -> Predictor:
    """Return the student as a function: pictures (H, W, 3) uint8 BGR to detectron2's instances of each.

    What else the config says of it are attributes, see `orplugins.hosts.detectron2.predictor.Predictor`.
    """
    from orplugins.hosts.detectron2.predictor import Predictor, read_model_config

    config, weights = settings.config, None
    if config is None:
        config, weights = shipped("orpose-color")
    options = ["DATASETS.H36_STATS_PATH", str(settings.statistics)] if settings.statistics else []
    weights = str(settings.weights) if settings.weights else weights
    cfg = read_model_config(str(config), weights, choose_device(settings.device), options)
    return Predictor(cfg, native=True)


def read_pictures(sources: Sequence[Source], failed: dict[str, str]) -> Iterator[tuple[Source, Frame]]:
    """Yield every frame that can be read with its source; errors go into `failed` by the source's path."""
    for source in sources:
        for frame in read_frames(source):
            if frame.image is None:
                failed[str(source.path)] = frame.problem or ""
            else:
                number = frame.name.rpartition("_")[2].partition(".")[0]
                name = f"{source.name}{source.path.suffix}#{number}" if source.is_video else source.path.as_posix()
                yield source, replace(frame, name=name)


def write_color_poses(path: str | os.PathLike, found: Sequence[ColorPoses], failed: dict[str, str]) -> None:
    """Write poses in COCO's form: joints in the pixels of the pictures, counted from a pixel's centre.

    Args:
        path: The file.
        found: People of each picture.
        failed: Error by the input's path.
    """
    images: list[dict] = []
    annotations: list[dict] = []
    for number, each in enumerate(found, start=1):
        image = {"id": number, "file_name": each.name, "width": each.size[0], "height": each.size[1]}
        images.append(image if each.time is None else {**image, "time": each.time})
        for person in _records(each):
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


def _people_above(
    source: Source, frame: Frame, predict: Predictor, settings: ColorSettings
) -> tuple[Source, ColorPoses]:
    assert frame.image is not None
    height, width = frame.image.shape[:2]
    size = network_size((width, height), settings.size, predict.sides)
    instances = predict([resize(frame.image, size)])[0]
    least = predict.least_score if settings.threshold is None else settings.threshold
    keep = instances.scores.numpy() >= least
    poses_3d, masks = (getattr(instances, name, None) for name in ("pred_keypoints_3d", "pred_masks"))
    if masks is not None:
        masks = tuple(run_lengths(enlarge_mask(mask, (width, height))) for mask in masks.numpy()[keep])
    return source, ColorPoses(
        frame.name,
        (width, height),
        size,
        instances.pred_boxes.tensor.numpy()[keep],
        instances.pred_keypoints.numpy()[keep],
        None if poses_3d is None else poses_3d.numpy()[keep],
        instances.scores.numpy()[keep],
        frame.time,
        masks,
    )


def _records(found: ColorPoses) -> list[dict]:
    """Annotations of one picture, in the pixels of its file."""
    scale = np.array(found.size) / found.seen
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
                **({} if found.poses_3d is None else {"h36m_3d": np.round(found.poses_3d[k], 5).ravel().tolist()}),
                **({} if found.masks is None else {"segmentation": found.masks[k]}),
            }
        )
    return people


def _draw(
    sources: Sequence[Source], found: Sequence[tuple[Source, ColorPoses]], out: Path, settings: ColorSettings
) -> tuple[Path, ...]:
    """Draw all people: an image each picture, a video for the pictures together and for each clip."""
    clips = [source for source in sources if source.is_video]
    groups: list[tuple[Path, Source | None, list[Source]]] = [
        (out / "poses.mp4", None, [source for source in sources if not source.is_video]),
        *((out / f"{clip.name}.mp4", clip, [clip]) for clip in clips),
    ]
    numbered = list(enumerate(found, start=1))
    place = {id(source): k for k, (_, _, members) in enumerate(groups) for source in members}
    people = [[(n, each) for n, (source, each) in numbered if place[id(source)] == k] for k in range(len(groups))]
    alone = sum(map(bool, people)) == 1
    videos: list[Path] = []
    for (path, clip, members), mine in zip(groups, people, strict=True):
        if mine:
            videos.append(out / "poses.mp4" if alone else path)
            drawings = _drawings(_bar(read_pictures(members, {}), "overlays"), mine, out / "overlays")
            fps = settings.fps or (clip.fps if clip and clip.fps else _STILLS_FPS)
            times = [each.time or 0.0 for _, each in mine] if clip and not settings.fps else None
            write_video(videos[-1], drawings, fps, times)
    return tuple(videos)


def _drawings(
    pictures: Iterator[tuple[Source, Frame]], found: Sequence[tuple[int, ColorPoses]], folder: Path
) -> Iterator[np.ndarray]:
    """Yield the resized pictures with their people drawn in, all of one size; each is also written to the folder."""
    count, canvas = 0, found[0][1].seen
    for _, frame in pictures:
        if count == len(found) or frame.name != found[count][1].name:
            raise ValueError(f"{frame.name}: has changed since its poses were found")
        number, people = found[count]
        assert frame.image is not None
        drawn = resize(frame.image, people.seen).copy()
        if people.masks:
            drawn = tint_people(drawn, np.stack([enlarge_mask(mask_of(code), people.seen) for code in people.masks]))
        for keypoints, box in zip(people.keypoints, people.boxes, strict=True):
            draw_pose(drawn, coco_to_h36_present(keypoints), "h36", box)
        count += 1
        write_image(folder / f"{number:06d}.png", drawn)
        yield _fitted(drawn, canvas)
    if count < len(found):
        raise ValueError(f"{found[count][1].name}: could not be read a second time, to be drawn")


def _fitted(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Fit a picture into (width, height), its proportions kept, with black bars."""
    height, width = picture.shape[:2]
    if (width, height) == size:
        return picture
    scale = min(size[0] / width, size[1] / height)
    small = resize(picture, (max(1, int(width * scale)), max(1, int(height * scale))))
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    y, x = (size[1] - small.shape[0]) // 2, (size[0] - small.shape[1]) // 2
    canvas[y : y + small.shape[0], x : x + small.shape[1]] = small
    return canvas


@dataclass(frozen=True)
class TeacherSettings:
    """What a teacher is made of; see :func:`label_pictures`.

    Attributes:
        pose: An mmpose config (.py) or a detectron2 keypoint config (.yaml); None where people are known.
        lifter: Weights of the lifting network, or a student's checkpoint.
        statistics: ``h36stats.json``, or what :func:`train_lifting_network` wrote.
        pose_weights: The pose network's weights; None: those that its config names.
        detector: A detectron2 config: a file or a name in the model zoo.
        detector_weights: Its weights; None: the model zoo's.
        thresholds: What becomes a label.
        batch: Pictures at a time.
        device: See `orplugins.device.choose_device`.
        truth: COCO file of people that are known, by names of pictures below the root: only the lifting network works
            then.
    """

    pose: str | None
    lifter: str
    statistics: str
    pose_weights: str | None = None
    detector: str = CASCADE
    detector_weights: str | None = None
    thresholds: Thresholds = Thresholds()
    batch: int = 4
    device: str = "auto"
    truth: str | None = None


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
    places = [os.path.join(os.path.realpath(path.parent), path.name) for path in paths]  # links stay what they are
    base = os.path.realpath(root) if root else os.path.commonpath([os.path.dirname(place) for place in places])
    names = [Path(os.path.relpath(place, base)).as_posix() for place in places]
    if len(set(names)) != len(names):
        raise ValueError("a picture is given twice, expected each once")
    outside = next((name for name in names if name.startswith("../")), None)
    if outside:
        raise ValueError(f"{outside}: lies outside {base}, expected pictures below it (--root)")
    require_writable(Path(out).parent)
    known = known_people(settings.truth) if settings.truth else None
    if known is not None and (strange := next((name for name in names if name not in known), None)):
        raise ValueError(f"{settings.truth}: found no picture {strange!r}, expected those that are to be labelled")
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
            "detector": settings.truth or [settings.detector, settings.detector_weights],
            "pose": [settings.pose, settings.pose_weights],
            "lifter": settings.lifter,
        },
        "stats_sha256": teacher.statistics.digest,
    }
    store = LabelStore(out, info, rank, _digest([*zip(names, paths, strict=True)], settings, world))
    lock = lock_file(store.folder / f"rank{rank}.lock", f"{out}: another run is writing it")
    if rank == 0:
        remove_leftovers(Path(out).parent, below=False, stem=f"{Path(out).stem}.")
    _label(teacher, store, list(zip(names, paths, strict=True))[rank::world], settings.batch, rank > 0, known)
    if world > 1:
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
    if rank:
        lock.close()
        return None
    merged = store.merge(names)
    lock.close()
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

    def load(config: str, weights: str | None) -> Predictor:
        # A student that was trained without 3D knows no statistics, but lifts joints all the same.
        return Predictor(read_model_config(config, weights, device, ["DATASETS.H36_STATS_PATH", settings.statistics]))

    if settings.truth:
        return ThreeStageTeacher(None, None, lift, statistics, settings.thresholds)
    if not settings.pose:
        raise ValueError("pose: is empty, expected a config (or --truth, a file of people that are known)")
    detector = load(settings.detector, settings.detector_weights)
    if settings.pose.endswith(".py"):
        from orplugins.hosts.mmpose.topdown import TeacherPose, TopdownRunner

        pose = TeacherPose(TopdownRunner(settings.pose, settings.pose_weights, device))
    elif (settings.pose, settings.pose_weights) == (settings.detector, settings.detector_weights):
        pose = KeypointsInBoxes(detector)
    else:
        pose = KeypointsInBoxes(load(settings.pose, settings.pose_weights))
    return ThreeStageTeacher(PersonDetector(detector), pose, lift, statistics, settings.thresholds)


def _digest(pictures: Sequence[tuple[str, Path]], settings: TeacherSettings, world: int) -> str:
    """What labels depend on beside the settings in the label file: pictures, weights, and who is labelled together."""
    names = ("pose", "pose_weights", "detector", "detector_weights", "lifter", "truth")
    files = [getattr(settings, name) for name in names]
    stamps: list = [world, settings.batch]
    for name, path in [*pictures, *((str(file), Path(file)) for file in files if file)]:
        status = os.stat(path) if path.is_file() else None
        stamps.append([name, os.path.abspath(path), *((status.st_size, status.st_mtime_ns) if status else ())])
    return hashlib.sha256(json.dumps(stamps).encode()).hexdigest()


def _label(
    teacher: ThreeStageTeacher,
    store: LabelStore,
    pictures: list[tuple[str, Path]],
    batch: int,
    quiet: bool,
    known: dict | None = None,
) -> None:
    """Label pictures (name, path); one that cannot be read or labelled is noted and does not stop the others.

    Pictures go through the networks in the groups of an unbroken run, so that one that was killed ends the same.
    """
    from tqdm import tqdm

    def label(named: list[tuple[str, np.ndarray]]) -> list[list[dict]]:
        if known is not None:
            return teacher.label_known([known[name] for name, _ in named])
        return teacher.label([image for _, image in named])

    with tqdm(total=len(pictures), unit="picture", disable=quiet or None) as bar:
        for start in range(0, len(pictures), batch):
            group = pictures[start : start + batch]
            bar.update(len(group))
            if all(store.is_done(name) for name, _ in group):
                continue
            images = []
            for name, path in group:
                try:
                    images.append((name, read_image(path)))
                except (OSError, ValueError) as error:
                    store.fail(name, str(error))
            try:
                found = label(images) if images else []
                labelled = list(zip(images, found, strict=True))
            except (ValueError, RuntimeError):  # find out which of them it was
                labelled = []
                for name, image in images:
                    try:
                        labelled.append(((name, image), label([(name, image)])[0]))
                    except (ValueError, RuntimeError) as error:
                        store.fail(name, f"{type(error).__name__}: {error}")
            for (name, image), annotations in labelled:
                height, width = image.shape[:2]
                if not store.is_done(name):
                    store.add(name, height, width, annotations)


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
    require_writable(out)
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
    weights = io.BytesIO()  # torch's own errors do not say that a disk is full
    torch.save(network.state_dict(), weights)
    with atomic_write(out / "lifter.pth", "wb") as file:
        file.write(weights.getvalue())
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
