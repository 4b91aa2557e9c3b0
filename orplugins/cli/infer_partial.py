"""Boxes and poses of people of whom a part may be out of view, in pictures and videos.

Examples:
    # the networks that ship
    python tools/infer_partial.py frames/ clip.mp4 --out outputs/run
    # a detector and pose network
    python tools/infer_partial.py frames/ clip.mp4 --out outputs/run --detector-weights detector.pth \\
        --config configs/mmpose/partial_body/vitpose-b_patient-22_256x192_published.py --checkpoint pose_model.pth
    # boxes of any detector: ours, the published bbox_detections.json, mmdet's or mmpose's predictions, a COCO result
    # list (with the annotations whose image ids it has)
    python tools/infer_partial.py frames/ --out outputs/run --boxes bbox_detections.json --config ... --checkpoint ...
    python tools/infer_partial.py frames/ --out outputs/run --boxes coco_instances_results.json \\
        --annotations instances_val.json --config ... --checkpoint ...
    # one person fills every picture
    python tools/infer_partial.py "photos/*.jpg" --out outputs/run --whole-image --config ... --checkpoint ...

Writes boxes.json and poses.json (COCO's form; every joint with its score and its state: visible, occluded or out of
view), overlays/, and a video for every video. The same command goes on after an interruption. What cannot be read is
reported and left out; the exit code then is 1.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from orplugins.device import add_device_option
from orplugins.partial_body.pipeline import PartialSettings, infer_partial
from orplugins.partial_body.shipped import DETECTOR_SCORE, SCORE, completed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("inputs", nargs="+", help="pictures, folders of pictures, patterns, videos")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--config", type=Path, help="mmpose configuration of the pose network (default: what ships)")
    parser.add_argument("--checkpoint", type=Path, help="its weights")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--detector-weights", type=Path, metavar="FILE", help="weights of a detector (default: what ships)"
    )
    where.add_argument("--boxes", type=Path, metavar="JSON", help="boxes of any detector, a file or a folder")
    where.add_argument("--whole-image", action="store_true", help="one box, the whole picture")
    ids = "COCO file that says which images the ids in --boxes stand for"
    parser.add_argument("--annotations", type=Path, metavar="JSON", help=ids)
    parser.add_argument("--category", nargs="+", metavar="NAME", help="boxes of these categories (default: people)")
    config = "file, or name in detectron2's model zoo (default: that of the weights that ship, else the published one)"
    parser.add_argument("--detector-config", type=Path, metavar="YAML", help=config)
    parser.add_argument("--detector-opts", nargs="+", default=[], metavar="KEY", help="detectron2 keys and values")
    parser.add_argument(
        "--box-score", type=float, help=f"least score of a box (default: {SCORE}; {DETECTOR_SCORE} with what ships)"
    )
    parser.add_argument(
        "--labels",
        nargs="+",
        metavar="NAME",
        help="poses of these only (default: all but user; of a detector that ships: all)",
    )
    states = "least score of a visible joint, for networks that do not tell states (default: 0.3)"
    parser.add_argument("--threshold", type=float, default=0.3, help=states)
    parser.add_argument("--batch", type=int, default=8, help="frames at a time (default: 8)")
    add_device_option(parser)
    parser.add_argument("--no-flip-test", action="store_true", help="half the time, a little less exact")
    parser.add_argument("--no-overlays", action="store_true", help="write no pictures and videos")
    parser.add_argument("--published-boxes", action="store_true", help="also write bbox_detections.json as published")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Parse arguments, find poses, print what was written and what was left out."""
    parser = _parser()
    args = vars(parser.parse_args(argv))
    if args["batch"] < 1 or not 0 <= (args["box_score"] or 0) <= 1:
        parser.error("--batch must be at least 1, --box-score from 0 to 1")

    inputs, out = args.pop("inputs"), args.pop("out")
    problems: list[str] = []

    def note(line: str) -> None:
        print(f"note: {line}", file=sys.stderr)

    try:
        done = infer_partial(inputs, out, PartialSettings(**completed(args)), problems.append, note)
        written = [done.poses, done.boxes, *([done.overlays] if done.overlays else [])]
        print(f"{done.frames} frames, {done.people} people: {', '.join(map(str, written))}")
    except (OSError, ValueError) as error:
        problems.append(str(error))
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if problems else 0
