"""Boxes and poses of people of whom a part may be out of view, in pictures and videos.

Examples:
    # detector and pose network
    python tools/infer_partial.py frames/ clip.mp4 --out outputs/run --detector-weights detector.pth \\
        --config configs/mmpose/partial_body/vitpose-b_patient-22_256x192_published.py --checkpoint pose_model.pth
    # boxes of any detector: ours, the published bbox_detections.json, or a COCO result list
    python tools/infer_partial.py frames/ --out outputs/run --boxes bbox_detections.json --config ... --checkpoint ...
    # one person fills every picture
    python tools/infer_partial.py "photos/*.jpg" --out outputs/run --whole-image --config ... --checkpoint ...

Writes boxes.json and poses.json (COCO's form; every joint with its score and its state: visible, occluded or out of
view), overlays/, and a video for every video. The same command goes on after an interruption. What cannot be read is
reported and left out; the exit code then is 1.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from orplugins.device import add_device_option
from orplugins.io.frames import Frame, Source, find_sources, read_frames
from orplugins.io.resume_log import Journal
from orplugins.io.video import read_image, write_image, write_video
from orplugins.partial_body.box_files import FrameBoxes, frame_boxes, read_boxes, write_boxes, write_published_boxes
from orplugins.partial_body.results import person_records, write_poses
from orplugins.viz.overlay import draw_people

ROOT = Path(__file__).resolve().parents[1]
DETECTOR = ROOT / "configs/detectron2/partial_body/faster_rcnn_R_101_FPN_partial_body.yaml"


class GivenBoxes:
    """Boxes from a file, by the frame's name, or by its number where the file names none."""

    def __init__(self, path: Path):
        frames, self.problems = read_boxes(path)
        self.path, self.by_name = path, {frame.file_name: frame for frame in frames}
        self.by_number = frames if frames and not frames[0].file_name else None

    def __call__(self, frame: Frame, number: int) -> FrameBoxes:
        size = frame.image.shape[1::-1]
        if self.by_number is not None:
            known = self.by_number[number] if number < len(self.by_number) else None
        else:
            known = self.by_name.get(frame.name)
        if known is None:
            return frame_boxes(frame.name, size, [])
        if known.size not in (None, size):
            raise ValueError(
                f"{self.path}: {frame.name} is {known.size[0]}x{known.size[1]} there, "
                f"the picture is {size[0]}x{size[1]}"
            )
        return FrameBoxes(frame.name, size, known.boxes, known.scores, known.labels)


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("inputs", nargs="+", help="pictures, folders of pictures, patterns, videos")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--config", type=Path, required=True, help="mmpose configuration of the pose network")
    parser.add_argument("--checkpoint", type=Path, required=True, help="its weights")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--detector-weights", type=Path, metavar="FILE", help="weights of the partial-body detector")
    where.add_argument("--boxes", type=Path, metavar="JSON", help="boxes of any detector")
    where.add_argument("--whole-image", action="store_true", help="one box, the whole picture")
    parser.add_argument("--detector-config", type=Path, default=DETECTOR, metavar="YAML")
    parser.add_argument("--detector-opts", nargs="+", default=[], metavar="KEY", help="detectron2 keys and values")
    parser.add_argument("--box-score", type=float, default=0.8, help="least score of a box (default: 0.8)")
    parser.add_argument("--labels", nargs="+", metavar="NAME", help="poses of these only (default: all but user)")
    parser.add_argument(
        "--threshold",
        type=float,
        default=0.3,
        help="least score of a visible joint, for networks that do not tell states (default: 0.3)",
    )
    parser.add_argument("--batch", type=int, default=8, help="frames at a time (default: 8)")
    add_device_option(parser)
    parser.add_argument("--no-flip-test", action="store_true", help="half the time, a little less exact")
    parser.add_argument("--no-overlays", action="store_true", help="write no pictures and videos")
    parser.add_argument("--published-boxes", action="store_true", help="also write bbox_detections.json as published")
    args = parser.parse_args(argv)
    if args.batch < 1 or not 0 <= args.box_score <= 1:
        parser.error("--batch must be at least 1, --box-score from 0 to 1")
    return args


def settings(args: argparse.Namespace) -> dict:
    """What the results depend on, for the journal."""
    files = {name: getattr(args, name) for name in ("config", "checkpoint", "detector_weights", "boxes")}
    return {
        **{name: None if path is None else [str(path), path.stat().st_mtime_ns] for name, path in files.items()},
        "detector": [str(args.detector_config), *args.detector_opts] if args.detector_weights else None,
        **{name: getattr(args, name) for name in ("whole_image", "box_score", "labels", "threshold", "no_flip_test")},
    }


def batches(sources: list[Source], done: set[str], size: int, problems: list[str], bar) -> Iterator[list]:
    """Lists of (number, frame) that are not done yet; what cannot be read goes to ``problems``."""
    batch, number = [], 0
    for source in sources:
        for frame in read_frames(source, done):
            if frame.problem:
                problems.append(frame.problem)
            elif frame.image is not None:
                batch.append((number, frame))
            if frame.image is None:
                bar.update()
            number += 1
            if len(batch) == size:
                yield batch
                batch = []
    if batch:
        yield batch


def usable(found: FrameBoxes, args: argparse.Namespace, problems: list[str]) -> FrameBoxes:
    """Boxes that are good enough, of the wanted labels and within the frame; others of these are reported."""
    rows = []
    for box, score, label in zip(found.boxes, found.scores, found.labels, strict=True):
        wanted = label in args.labels if args.labels else label != "user"
        outside = (box[:2] >= found.size).any() or (box[2:] <= 0).any()
        if wanted and outside:
            problems.append(
                f"{found.file_name}: the box {np.round(box, 1).tolist()} lies outside the picture of "
                f"{found.size[0]}x{found.size[1]} pixels"
            )
        elif wanted and (score >= args.box_score or args.whole_image):
            rows.append((box, score, label))
    return frame_boxes(found.file_name, found.size, rows)


def locate(batch: list, finder, args: argparse.Namespace, problems: list[str]) -> list[tuple[Frame, FrameBoxes]]:
    """All boxes of a batch's frames."""
    if args.detector_weights:
        found = finder([frame.image for _, frame in batch])
        return [
            (frame, FrameBoxes(frame.name, frame.image.shape[1::-1], *map(np.asarray, f[:2]), tuple(f[2])))
            for (_, frame), f in zip(batch, found, strict=True)
        ]
    located = []
    for number, frame in batch:
        height, width = frame.image.shape[:2]
        try:
            boxes = (
                finder(frame, number)
                if finder
                else frame_boxes(frame.name, (width, height), [((0, 0, width - 1, height - 1), 1.0, "person")])
            )
            located.append((frame, boxes))
        except ValueError as error:
            problems.append(str(error))
    return located


def run(args: argparse.Namespace, problems: list[str]) -> None:
    from tqdm import tqdm

    from orplugins.hosts.mmpose.topdown import TopdownRunner

    sources, unusable = find_sources(args.inputs)
    problems += unusable
    if not sources:
        raise ValueError("no picture and no video to work on")
    finder = None
    if args.detector_weights:
        from orplugins.partial_body.detectron2.detector import PartialBodyDetector

        finder = PartialBodyDetector(
            args.detector_config, args.detector_weights, args.box_score, args.device, args.detector_opts
        )
    elif args.boxes:
        finder = GivenBoxes(args.boxes)
        problems += finder.problems
    flip_test = False if args.no_flip_test else None
    runner = TopdownRunner(args.config, args.checkpoint, args.device, flip_test=flip_test)
    journal = Journal(args.out / "progress.jsonl", settings(args))
    done = {name for name in journal.items if args.no_overlays or (args.out / "overlays" / name).exists()}
    with tqdm(total=sum(source.count for source in sources), unit="frame", file=sys.stderr) as bar:
        for batch in batches(sources, done, args.batch, problems, bar):
            located = locate(batch, finder, args, problems)
            chosen = [usable(boxes, args, problems) for _, boxes in located]
            poses = runner([frame.image for frame, _ in located], [boxes.boxes for boxes in chosen])
            for (frame, everything), boxes, pose in zip(located, chosen, poses, strict=True):
                people = person_records(
                    boxes.boxes,
                    boxes.scores,
                    boxes.labels,
                    pose.keypoints,
                    pose.scores,
                    pose.crops,
                    boxes.size,
                    args.threshold,
                    pose.states,
                    runner.joints,
                )
                if not args.no_overlays:
                    drawn = draw_people(frame.image, people, runner.joints, runner.links)
                    write_image(args.out / "overlays" / frame.name, drawn)
                rows = [
                    [box.tolist(), float(score), label]
                    for box, score, label in zip(everything.boxes, everything.scores, everything.labels, strict=True)
                ]
                journal.add(
                    frame.name,
                    {
                        "file_name": frame.name,
                        "width": int(boxes.size[0]),
                        "height": int(boxes.size[1]),
                        "boxes": rows,
                        "people": people,
                    },
                )
            bar.update(len(batch))
    journal.close()
    finish(args, sources, journal.items, runner)


def finish(args: argparse.Namespace, sources: list[Source], items: dict, runner) -> None:
    """Write the files of the whole job from what the journal holds, in the order of the sources."""
    frames = []
    for source in sources:
        mine = (
            [name for k in range(len(items)) if (name := source.frame_name(k)) in items]
            if source.is_video
            else [name for name in [source.frame_name(0)] if name in items]
        )
        frames += [items[name] for name in mine]
        if source.is_video and mine and not args.no_overlays:
            overlays = (read_image(args.out / "overlays" / name) for name in mine)
            write_video(args.out / f"{source.path.stem}.mp4", overlays, source.fps)
    boxes = [frame_boxes(f["file_name"], (f["width"], f["height"]), f["boxes"]) for f in frames]
    write_boxes(args.out / "boxes.json", boxes)
    if args.published_boxes:
        write_published_boxes(args.out / "bbox_detections.json", boxes)
    info = {
        "config": args.config.name,
        "checkpoint": args.checkpoint.name,
        "keypoints_v": "0 out of view, 1 occluded, 2 visible",
        "threshold": args.threshold,
    }
    write_poses(args.out / "poses.json", frames, runner.joints, runner.links, info)
    people = sum(len(frame["people"]) for frame in frames)
    print(
        f"{len(frames)} frames, {people} people: {args.out / 'poses.json'}, {args.out / 'boxes.json'}"
        + ("" if args.no_overlays else f", {args.out / 'overlays'}")
    )


def main(argv: list[str] | None = None) -> int:
    args = parse(argv)
    problems: list[str] = []
    try:
        run(args, problems)
    except (OSError, ValueError) as error:
        problems.append(str(error))
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
