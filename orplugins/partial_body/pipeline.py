"""Jobs of the partial-body method: boxes and poses of people of whom a part may be out of view."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orplugins.device import choose_device
from orplugins.io.frames import Source, find_sources, read_frames
from orplugins.io.images import read_image, write_image
from orplugins.io.resume_log import Journal
from orplugins.io.video import write_video
from orplugins.partial_body.box_files import FrameBoxes, frame_boxes, read_boxes, write_boxes, write_published_boxes
from orplugins.partial_body.results import person_records, write_poses
from orplugins.partial_body.view_sets import VIEWS, write_views
from orplugins.resources import resource
from orplugins.viz.overlay import draw_people

DETECTOR = "configs/detectron2/partial_body/faster_rcnn_R_101_FPN_partial_body.yaml"
Report = Callable[[str], None]
Numbered = tuple[int, str, np.ndarray]  # a frame's place among all frames, name, and picture


@dataclass(frozen=True)
class PartialSettings:
    """How :func:`infer_partial` finds people. Exactly one of three says where boxes come from.

    Attributes:
        config: The pose network's mmpose config.
        checkpoint: Its weights.
        detector_weights: Weights of the partial-body detector (first choice).
        boxes: A file of any detector's boxes (second choice).
        whole_image: One box, the whole picture (third choice).
        detector_config: detectron2 config of the detector; None: the published one.
        detector_opts: detectron2 keys and values.
        box_score: Minimum score of a box, 0 to 1.
        labels: Poses of these only; None: of all but users.
        threshold: Minimum score of a visible joint, for networks that do not tell states.
        batch: Frames at a time.
        device: See `orplugins.device.choose_device`.
        no_flip_test: Skip the mirrored pass.
        no_overlays: Write no pictures and videos.
        published_boxes: Also write ``bbox_detections.json`` in the published form.
    """

    config: Path
    checkpoint: Path
    detector_weights: Path | None = None
    boxes: Path | None = None
    whole_image: bool = False
    detector_config: Path | None = None
    detector_opts: Sequence[str] = ()
    box_score: float = 0.8
    labels: Sequence[str] | None = None
    threshold: float = 0.3
    batch: int = 8
    device: str = "auto"
    no_flip_test: bool = False
    no_overlays: bool = False
    published_boxes: bool = False

    def __post_init__(self):
        if bool(self.detector_weights) + bool(self.boxes) + self.whole_image != 1:
            raise ValueError("expected one of detector_weights, boxes and whole_image")
        if self.batch < 1 or not 0 <= self.box_score <= 1:
            raise ValueError("batch must be at least 1, box_score from 0 to 1")

    @property
    def detector(self) -> Path:
        """The detector's config."""
        return self.detector_config or resource(DETECTOR)

    def record(self) -> dict:
        """Return what the results depend on, for the record from which an interrupted job goes on."""
        files = {name: getattr(self, name) for name in ("config", "checkpoint", "detector_weights", "boxes")}
        values = ("whole_image", "box_score", "labels", "threshold", "no_flip_test")
        return {
            **{name: None if path is None else [str(path), path.stat().st_mtime_ns] for name, path in files.items()},
            "detector": [str(self.detector), *self.detector_opts] if self.detector_weights else None,
            **{name: getattr(self, name) for name in values},
        }


@dataclass(frozen=True)
class PartialResult:
    """What :func:`infer_partial` wrote.

    Attributes:
        poses: The file of poses.
        boxes: The file of boxes.
        overlays: The folder of drawn pictures; None if there is none.
        videos: One for each video.
        frames: Number of pictures and frames.
        people: Number of people in all of them.
    """

    poses: Path
    boxes: Path
    overlays: Path | None
    videos: tuple[Path, ...]
    frames: int
    people: int


def infer_partial(
    inputs: Sequence[str | os.PathLike],
    out: str | os.PathLike,
    settings: PartialSettings,
    report: Report,
) -> PartialResult:
    """Find boxes and poses in pictures and videos; write them, then draw them.

    Every finished frame is noted in ``progress.jsonl`` below `out`, from which a second call goes on. ``boxes.json``
    and ``poses.json`` are complete before the first picture is drawn.

    Args:
        inputs: Pictures, folders of pictures, patterns, videos.
        out: Folder for all that is written.
        settings: See :class:`PartialSettings`.
        report: Called with one line for each input, frame and box that is left out, and why.

    Raises:
        FileNotFoundError: A config or weights are missing.
        ValueError: No input is usable, a file does not fit, or `out` holds results with other settings.
    """
    out = Path(out)
    sources, unusable = find_sources(inputs)
    for line in unusable:
        report(line)
    if not sources:
        raise ValueError("no picture and no video to work on")
    finder = _finder(settings, report)
    runner = load_runner(settings)
    journal = Journal(out / "progress.jsonl", settings.record())
    try:
        with _bar(sources, "poses") as bar:
            for batch in _batches(sources, set(journal.items), settings.batch, report, bar):
                for frame in _estimate(batch, finder, runner, settings, report):
                    journal.add(frame["file_name"], frame)
                bar.update(len(batch))
    finally:
        journal.close()
    return _write(out, sources, journal.items, runner, settings)


def load_runner(settings: PartialSettings):
    """Return the pose network as an `orplugins.hosts.mmpose.topdown.TopdownRunner`."""
    from orplugins.hosts.mmpose.topdown import TopdownRunner

    flip_test = False if settings.no_flip_test else None
    return TopdownRunner(settings.config, settings.checkpoint, choose_device(settings.device), flip_test=flip_test)


def make_views(
    annotations: str | os.PathLike, images: str | os.PathLike, out: str | os.PathLike, views: Sequence[str] = VIEWS
) -> tuple[dict[str, int], list[str]]:
    """Write sets that show people only in part, with a progress bar; see `orplugins.partial_body.view_sets`."""
    from tqdm import tqdm

    with tqdm(unit="picture") as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return write_views(annotations, images, out, views, progress=progress)


class GivenBoxes:
    """Boxes from a file, by the frame's name, or by its number where the file names none.

    Args:
        path: See `orplugins.partial_body.box_files.read_boxes`; what it could not read is in `problems`.
    """

    def __init__(self, path: Path):
        frames, self.problems = read_boxes(path)
        self.path, self.by_name = path, {frame.file_name: frame for frame in frames}
        self.by_number = frames if frames and not frames[0].file_name else None

    def __call__(self, name: str, size: tuple[int, int], number: int) -> FrameBoxes:
        """Return a frame's boxes.

        Args:
            name: The frame's name.
            size: Its (width, height).
            number: Its place among all frames.

        Raises:
            ValueError: The file's frame has another size.
        """
        if self.by_number is not None:
            known = self.by_number[number] if number < len(self.by_number) else None
        else:
            known = self.by_name.get(name)
        if known is None:
            return frame_boxes(name, size, [])
        if known.size not in (None, size):
            raise ValueError(
                f"{self.path}: {name} is {known.size[0]}x{known.size[1]} there, the picture is {size[0]}x{size[1]}"
            )
        return FrameBoxes(name, size, known.boxes, known.scores, known.labels)


def _finder(settings: PartialSettings, report: Report) -> Callable | None:
    """What gives boxes: a detector of pictures, a file's, or None for whole pictures."""
    if settings.detector_weights:
        from orplugins.partial_body.detectron2.detector import PartialBodyDetector

        device = choose_device(settings.device)
        return PartialBodyDetector(
            settings.detector, settings.detector_weights, settings.box_score, device, settings.detector_opts
        )
    if not settings.boxes:
        return None
    given = GivenBoxes(settings.boxes)
    for line in given.problems:
        report(line)
    return given


def _bar(sources: list[Source], title: str):
    from tqdm import tqdm

    return tqdm(total=sum(source.count for source in sources), unit="frame", desc=title)


def _size(image: np.ndarray) -> tuple[int, int]:
    """(width, height)."""
    height, width = image.shape[:2]
    return width, height


def _batches(sources: list[Source], done: set[str], size: int, report: Report, bar) -> Iterator[list[Numbered]]:
    """Lists of frames that are not done yet; what cannot be read is reported."""
    batch: list[Numbered] = []
    number = 0
    for source in sources:
        for frame in read_frames(source, done):
            if frame.problem:
                report(frame.problem)
            elif frame.image is not None:
                batch.append((number, frame.name, frame.image))
            if frame.image is None:
                bar.update()
            number += 1
            if len(batch) == size:
                yield batch
                batch = []
    if batch:
        yield batch


def _usable(found: FrameBoxes, size: tuple[int, int], settings: PartialSettings, report: Report) -> FrameBoxes:
    """Boxes that are good enough, of the wanted labels and within the frame; others of these are reported."""
    rows = []
    for box, score, label in zip(found.boxes, found.scores, found.labels, strict=True):
        wanted = label in settings.labels if settings.labels else label != "user"
        outside = (box[:2] >= size).any() or (box[2:] <= 0).any()
        if wanted and outside:
            report(
                f"{found.file_name}: the box {np.round(box, 1).tolist()} lies outside the picture of "
                f"{size[0]}x{size[1]} pixels"
            )
        elif wanted and (score >= settings.box_score or settings.whole_image):
            rows.append((box, score, label))
    return frame_boxes(found.file_name, size, rows)


def _locate(
    batch: list[Numbered], finder, settings: PartialSettings, report: Report
) -> list[tuple[np.ndarray, FrameBoxes]]:
    """Pictures and all boxes of a batch's frames."""
    if settings.detector_weights:
        found = finder([image for _, _, image in batch])
        return [
            (image, FrameBoxes(name, _size(image), np.asarray(boxes), np.asarray(scores), tuple(labels)))
            for (_, name, image), (boxes, scores, labels) in zip(batch, found, strict=True)
        ]
    located = []
    for number, name, image in batch:
        width, height = _size(image)
        try:
            boxes = (
                finder(name, (width, height), number)
                if finder
                else frame_boxes(name, (width, height), [((0, 0, width - 1, height - 1), 1.0, "person")])
            )
            located.append((image, boxes))
        except ValueError as error:
            report(str(error))
    return located


def _estimate(batch: list[Numbered], finder, runner, settings: PartialSettings, report: Report) -> Iterator[dict]:
    """Records of a batch's frames: name, size, boxes, people."""
    located = _locate(batch, finder, settings, report)
    chosen = [_usable(boxes, _size(image), settings, report) for image, boxes in located]
    poses = runner([image for image, _ in located], [boxes.boxes for boxes in chosen])
    for (image, everything), boxes, pose in zip(located, chosen, poses, strict=True):
        width, height = _size(image)
        people = person_records(
            boxes.boxes,
            boxes.scores,
            boxes.labels,
            pose.keypoints,
            pose.scores,
            pose.crops,
            (width, height),
            settings.threshold,
            pose.states,
            runner.joints,
        )
        rows = [
            [box.tolist(), float(score), label]
            for box, score, label in zip(everything.boxes, everything.scores, everything.labels, strict=True)
        ]
        yield {"file_name": boxes.file_name, "width": width, "height": height, "boxes": rows, "people": people}


def _write(out: Path, sources: list[Source], items: dict, runner, settings: PartialSettings) -> PartialResult:
    """Write the files of the whole job, in the order of the sources: first numbers, then drawings."""
    names = [
        [name for k in range(len(items) if source.is_video else 1) if (name := source.frame_name(k)) in items]
        for source in sources
    ]
    frames = [items[name] for mine in names for name in mine]
    boxes = [frame_boxes(f["file_name"], (f["width"], f["height"]), f["boxes"]) for f in frames]
    write_boxes(out / "boxes.json", boxes)
    if settings.published_boxes:
        write_published_boxes(out / "bbox_detections.json", boxes)
    info = {
        "config": settings.config.name,
        "checkpoint": settings.checkpoint.name,
        "keypoints_v": "0 out of view, 1 occluded, 2 visible",
        "threshold": settings.threshold,
    }
    write_poses(out / "poses.json", frames, runner.joints, runner.links, info)
    videos = [out / f"{s.path.stem}.mp4" for s, mine in zip(sources, names, strict=True) if s.is_video and mine]
    people = sum(len(frame["people"]) for frame in frames)
    if settings.no_overlays:
        return PartialResult(out / "poses.json", out / "boxes.json", None, (), len(frames), people)
    overlays = out / "overlays"
    with _bar(sources, "overlays") as bar:
        for source, mine in zip(sources, names, strict=True):
            _draw(source, items, overlays, runner, bar)
            if source.fps and mine:  # a video
                pictures = (read_image(overlays / name) for name in mine)
                write_video(out / f"{source.path.stem}.mp4", pictures, source.fps)
    return PartialResult(out / "poses.json", out / "boxes.json", overlays, tuple(videos), len(frames), people)


def _draw(source: Source, items: dict, folder: Path, runner, bar) -> None:
    """Draw the people of a source's frames that have poses and are not drawn yet."""
    missing = {name for name in items if not (folder / name).exists()}
    for frame in read_frames(source, items.keys() - missing):
        if frame.image is not None and frame.name in missing:
            drawn = draw_people(frame.image, items[frame.name]["people"], runner.joints, runner.links)
            write_image(folder / frame.name, drawn)
        bar.update()
