"""Jobs of the partial-body method: boxes and poses of people of whom a part may be out of view."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orplugins.device import choose_device
from orplugins.io.frames import Frame, Source, find_sources, outside, read_frames
from orplugins.io.images import IMAGE_SUFFIXES, read_image, write_image
from orplugins.io.resume_log import Journal
from orplugins.io.run_folder import run_folder
from orplugins.io.video import write_video
from orplugins.partial_body.box_files import FrameBoxes, frame_boxes, write_boxes, write_published_boxes
from orplugins.partial_body.box_forms import Choice
from orplugins.partial_body.given_boxes import GivenBoxes
from orplugins.partial_body.results import person_records, write_poses
from orplugins.partial_body.view_sets import VIEWS, Paths, write_views
from orplugins.resources import resource
from orplugins.viz.overlay import draw_people

DETECTOR = "configs/detectron2/partial_body/faster_rcnn_R_101_FPN_partial_body.yaml"
Report = Callable[[str], None]
Named = tuple[Frame, np.ndarray]  # a frame and its picture, which is read again if it was not wanted at first


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
        annotations: COCO file that says which images the ids of a result list in `boxes` stand for.
        category: Boxes of these categories only, names or ids; None: of people, `labels` included.
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
    annotations: Path | None = None
    category: Sequence[str] | None = None

    def __post_init__(self):
        if bool(self.detector_weights) + bool(self.boxes) + self.whole_image != 1:
            raise ValueError("expected one of detector_weights, boxes and whole_image")
        if self.batch < 1 or not 0 <= self.box_score <= 1:
            raise ValueError("batch must be at least 1, box_score from 0 to 1")
        if self.annotations and not self.boxes:
            raise ValueError("annotations explain the ids of boxes, which are not given")

    @property
    def choice(self) -> Choice:
        """Which boxes are taken from a file or a detector."""
        return Choice(self.category, self.labels or ())

    @property
    def detector(self) -> Path:
        """The detector's config."""
        return self.detector_config or resource(DETECTOR)

    def record(self) -> dict:
        """Return what the results depend on, for the record from which an interrupted job goes on."""
        names = ("config", "checkpoint", "detector_weights", "boxes", "annotations")
        values = ("whole_image", "box_score", "labels", "threshold", "no_flip_test", "category", "batch")
        return {
            **{name: _stamp(path) for name in names if (path := getattr(self, name)) is not None},
            "detector": [*_stamp(self.detector), *self.detector_opts] if self.detector_weights else None,
            "device": choose_device(self.device),
            **{name: getattr(self, name) for name in values},
        }


def _stamp(path: Path) -> list:
    """Path, size and time of a file, or of all below a folder; the path alone of a name that is no file."""
    if not path.exists() and not path.suffix == ".yaml":
        raise FileNotFoundError(f"{path}: no such file")
    files = sorted(path.rglob("*.json")) if path.is_dir() else [path] if path.exists() else []
    stats = [file.stat() for file in files]
    return [str(path), sum(each.st_size for each in stats), max((each.st_mtime_ns for each in stats), default=0)]


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
    note: Report = lambda line: None,
) -> PartialResult:
    """Find boxes and poses in pictures and videos; write them, then draw them.

    Every finished frame is noted in ``progress.jsonl`` below `out`, from which a second call with the same inputs goes
    on to the same result; with other inputs it begins anew. ``boxes.json`` and ``poses.json`` are complete before the
    first picture is drawn. Frames are known by the shortest end of their path that no other has.

    Args:
        inputs: Pictures, folders of pictures, patterns, videos.
        out: Folder for all that is written.
        settings: See :class:`PartialSettings`.
        report: Called with one line for each input, frame and box that is left out, and why.
        note: Called with one line for each kind of thing that is left out as it should be.

    Raises:
        FileNotFoundError: A config or weights are missing.
        OSError: `out` cannot be written to.
        ValueError: No input is usable, a file does not fit, or `out` holds results with other settings or is being
            written to by another run.
    """
    out = Path(out)
    sources, unusable = find_sources(inputs)
    for line in unusable:
        report(line)
    sources = outside(sources, out)
    if not sources:
        raise ValueError("no picture and no video to work on")
    record, given = settings.record(), None
    if settings.boxes:
        given = GivenBoxes(settings.boxes, sources, settings.annotations, settings.choice)
        for line in given.problems:
            report(line)
        for line in given.notes:
            note(line)
    with run_folder(out):
        stamps = [[source.name, *source.signature()] for source in sources]
        journal = Journal(out / "progress.jsonl", record, stamps)
        journal.items = {name: item for name, item in journal.items.items() if _is_whole(name, item)}
        drawn = None if settings.no_overlays else Journal(out / "drawn.jsonl", record, stamps)
        try:
            finder, runner = given or _detector(settings), load_runner(settings)
            with _bar(sources, "poses") as bar:
                for group in _groups(sources, journal, settings.batch, report, bar):
                    for frame in _estimate(group, finder, runner, settings, set(journal.items), report):
                        journal.add(frame["file_name"], frame)
            return _write(out, sources, journal.items, drawn, runner, settings, report, note)
        finally:
            journal.close()
            if drawn:
                drawn.close()


def _is_whole(name: str, item: object) -> bool:
    """Whether a record of a frame is as `_estimate` makes it; another is made again."""
    kinds = {"width": int, "height": int, "boxes": list, "people": list, "problems": list}
    return (
        isinstance(item, dict)
        and item.get("file_name") == name
        and all(isinstance(item.get(key), kind) for key, kind in kinds.items())
        and all(isinstance(person, dict) and "label" in person and "bbox" in person for person in item["people"])
    )


def load_runner(settings: PartialSettings):
    """Return the pose network as an `orplugins.hosts.mmpose.topdown.TopdownRunner`."""
    from orplugins.hosts.mmpose.topdown import TopdownRunner

    flip_test = False if settings.no_flip_test else None
    return TopdownRunner(settings.config, settings.checkpoint, choose_device(settings.device), flip_test=flip_test)


def make_views(
    annotations: Paths, images: Paths, out: str | os.PathLike, views: Sequence[str] = VIEWS
) -> tuple[dict[str, int], list[str]]:
    """Write sets that show people only in part, with a progress bar; see `orplugins.partial_body.view_sets`."""
    from tqdm import tqdm

    with tqdm(unit="picture") as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return write_views(annotations, images, out, views, progress=progress)


def _detector(settings: PartialSettings) -> Callable | None:
    """The detector, or None for whole pictures."""
    if not settings.detector_weights:
        return None
    from orplugins.partial_body.detectron2.detector import PartialBodyDetector

    return PartialBodyDetector(
        settings.detector,
        settings.detector_weights,
        settings.box_score,
        choose_device(settings.device),
        settings.detector_opts,
        settings.choice,
    )


def _bar(sources: list[Source], title: str):
    from tqdm import tqdm

    return tqdm(total=sum(source.count for source in sources), unit="frame", desc=title)


def _size(image: np.ndarray) -> tuple[int, int]:
    """(width, height)."""
    height, width = image.shape[:2]
    return width, height


def _groups(sources: list[Source], journal: Journal, size: int, report: Report, bar) -> Iterator[list[Named]]:
    """Lists of frames of which some are not done yet; what cannot be read is reported.

    Groups are those of an unbroken run: which people go through a network together changes the last digits.
    """
    group: list[tuple[Source, Frame]] = []
    position = 0
    for source in sources:
        for frame in read_frames(source, frozenset() if source.is_video else frozenset(journal.items)):
            if frame.problem:
                report(frame.problem)
            else:
                group.append((source, frame))
            position += 1
            bar.update()
            if position % size == 0:
                yield from _unfinished(group, journal, report)
                group = []
    yield from _unfinished(group, journal, report)


def _unfinished(group: list[tuple[Source, Frame]], journal: Journal, report: Report) -> Iterator[list[Named]]:
    if all(frame.name in journal.items for _, frame in group):
        return
    named = []
    for source, frame in group:
        try:
            named.append((frame, read_image(source.path) if frame.image is None else frame.image))
        except (OSError, ValueError) as error:
            report(str(error))
    yield named


def _usable(found: FrameBoxes, size: tuple[int, int], settings: PartialSettings) -> tuple[FrameBoxes, list[str]]:
    """Boxes that are good enough, of the wanted labels and within the frame; a line for each outside it."""
    rows, problems = [], []
    for box, score, label in zip(found.boxes, found.scores, found.labels, strict=True):
        wanted = label in settings.labels if settings.labels else label != "user"
        outside = (box[:2] >= size).any() or (box[2:] <= 0).any()
        if wanted and outside:
            problems.append(
                f"{found.file_name}: the box {np.round(box, 1).tolist()} lies outside the picture of "
                f"{size[0]}x{size[1]} pixels"
            )
        elif wanted and (score >= settings.box_score or settings.whole_image):
            rows.append((box, score, label))
    return frame_boxes(found.file_name, size, rows), problems


def _locate(
    group: list[Named], finder, settings: PartialSettings, report: Report
) -> list[tuple[Frame, np.ndarray, FrameBoxes]]:
    """Frames, pictures and all boxes of a group."""
    if settings.detector_weights:
        found = finder([image for _, image in group])
        return [
            (f, image, FrameBoxes(f.name, _size(image), np.asarray(boxes), np.asarray(scores), tuple(labels)))
            for (f, image), (boxes, scores, labels) in zip(group, found, strict=True)
        ]
    located = []
    for frame, image in group:
        width, height = size = _size(image)
        try:
            boxes = (
                finder(frame.name, size)
                if finder
                else frame_boxes(frame.name, size, [((0, 0, width - 1, height - 1), 1.0, "person")])
            )
            located.append((frame, image, boxes))
        except ValueError as error:
            report(str(error))
    return located


def _estimate(
    group: list[Named], finder, runner, settings: PartialSettings, done: set[str], report: Report
) -> Iterator[dict]:
    """Records of the frames of a group that are not done: name, size, boxes, people, problems."""
    located = _locate(group, finder, settings, report)
    chosen = [_usable(boxes, _size(image), settings) for _, image, boxes in located]
    poses = runner([image for _, image, _ in located], [boxes.boxes for boxes, _ in chosen])
    for (frame, image, everything), (boxes, problems), pose in zip(located, chosen, poses, strict=True):
        if frame.name in done:
            continue
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
        record = {"file_name": frame.name, "width": width, "height": height, "boxes": rows, "people": people}
        yield {**record, "problems": problems, **({} if frame.time is None else {"time": frame.time})}


def _write(
    out: Path,
    sources: list[Source],
    items: dict,
    drawn: Journal | None,
    runner,
    settings: PartialSettings,
    report: Report,
    note: Report,
) -> PartialResult:
    """Write the files of the whole job, in the order of the sources: first numbers, then drawings."""
    names = [
        [name for k in range(len(items) if source.is_video else 1) if (name := source.frame_name(k)) in items]
        for source in sources
    ]
    frames = [items[name] for mine in names for name in mine]
    for frame in frames:
        for problem in frame["problems"]:
            report(problem)
    unsure = sum(score < settings.box_score for frame in frames for _, score, _ in frame["boxes"])
    if unsure and not settings.whole_image:
        note(f"{unsure} boxes have a score below {settings.box_score:g} (--box-score) and got no pose")
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
    people = sum(len(frame["people"]) for frame in frames)
    if drawn is None:
        return PartialResult(out / "poses.json", out / "boxes.json", None, (), len(frames), people)
    overlays, videos = out / "overlays", []
    with _bar(sources, "overlays") as bar:
        for source, mine in zip(sources, names, strict=True):
            _draw(source, items, overlays, drawn, runner, bar)
            if source.fps and mine:  # a video
                pictures = (read_image(overlays / name) for name in mine)
                videos.append(out / f"{source.name}.mp4")
                write_video(videos[-1], pictures, source.fps, [items[name]["time"] for name in mine])
    return PartialResult(out / "poses.json", out / "boxes.json", overlays, tuple(videos), len(frames), people)


def _draw(source: Source, items: dict, folder: Path, drawn: Journal, runner, bar) -> None:
    """Draw the people of a source's frames that have poses and are not drawn yet."""
    missing = {name for name in items if name not in drawn.items or not _drawing(folder, name).exists()}
    for frame in read_frames(source, items.keys() - missing):
        if frame.image is not None and frame.name in missing:
            picture = draw_people(frame.image, items[frame.name]["people"], runner.joints, runner.links)
            write_image(_drawing(folder, frame.name), picture)
            drawn.add(frame.name, True)
        bar.update()


def _drawing(folder: Path, name: str) -> Path:
    """File of a drawn frame; PNG where the name's suffix is that of no image."""
    path = folder / name
    return path if path.suffix.lower() in IMAGE_SUFFIXES else path.with_name(path.name + ".png")
