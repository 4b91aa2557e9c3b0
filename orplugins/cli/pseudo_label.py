"""Label pictures of people with a teacher: boxes (detectron2), joints (mmpose or detectron2), 3D (a lifting network).

Examples:
    python tools/pseudo_label.py frames/ --out labels.json --lifter outputs/lifter/lifter.pth \\
        --statistics outputs/lifter/statistics.json --pose td-hm_hrnet-w48_8xb32-210e_coco-384x288.py \\
        --pose-weights hrnet_w48.pth
    python tools/pseudo_label.py data/or/day1/cam1/color --root data/or --truth data/or/annotations/coco17_color.json \\
        --out labels.json --lifter outputs/lifter/lifter.pth --statistics outputs/lifter/statistics.json
    torchrun --nproc-per-node 2 tools/pseudo_label.py ...          # every process takes its share

A run that was stopped is continued by the same command. torchrun is for networks that need their host, as a teacher's
do; for thousands of hours by a model file there is `orplugins batch`. --pose takes an mmpose config (.py) or a
detectron2 keypoint model (.yaml). The exit code is 1 if a picture failed; the others are labelled all the same.
"""

from __future__ import annotations

import argparse
import os
import sys

from orplugins.device import add_device_option
from orplugins.orpose_color.pipeline import CASCADE, TeacherSettings, label_pictures
from orplugins.orpose_color.teacher import Thresholds


def _parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("images", nargs="+", help="pictures, or folders of them")
    options.add_argument("--out", required=True, help="label file (JSON)")
    options.add_argument("--root", help="folder that names in the label file are relative to (default: the pictures')")
    options.add_argument("--detector", default=CASCADE, help="detectron2 config: a file or a name in the model zoo")
    options.add_argument("--detector-weights", help="its weights (default: the model zoo's)")
    known = "COCO file of known people (names relative to --root); only the lifting network works then"
    options.add_argument("--truth", metavar="JSON", help=known)
    options.add_argument("--pose", help="mmpose config (.py) or detectron2 keypoint config (.yaml)")
    options.add_argument("--pose-weights")
    options.add_argument("--lifter", required=True, help="weights of the lifting network, or a student's checkpoint")
    options.add_argument("--statistics", required=True, help="h36stats.json, or what train_lifter.py wrote")
    options.add_argument("--det-threshold", type=float, default=0.7, help="least score of a box (default: 0.7)")
    options.add_argument("--hard-threshold", type=float, default=0.7, help="least confidence of a hard joint")
    options.add_argument("--lift-policy", choices=("all", "fill"), default="all", help="who has a hard 3D label")
    options.add_argument("--min-hard-joints", type=int, default=8, help="for --lift-policy fill (default: 8)")
    options.add_argument("--batch", type=int, default=4, help="pictures at a time (default: 4)")
    add_device_option(options)
    return options


def main(argv: list[str] | None = None) -> int:
    """Parse arguments, label this process's share, print what the first process wrote."""
    args = vars(_parser().parse_args(argv))
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    if args["device"] == "cuda" and "LOCAL_RANK" in os.environ:
        args["device"] = f"cuda:{os.environ['LOCAL_RANK']}"
    inputs, out, root = (args.pop(name) for name in ("images", "out", "root"))
    limits = [args.pop(name) for name in ("det_threshold", "hard_threshold", "lift_policy", "min_hard_joints")]
    try:
        settings = TeacherSettings(**args, thresholds=Thresholds(*limits))
        done = label_pictures(inputs, out, settings, root, rank, world)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if done is None:
        return 0
    counts = f"{done.pictures} pictures, {done.people} people, {done.hard_joints} hard joints"
    print(f"{out}: {counts}, {done.hard_poses} hard 3D poses")
    print(f"training will leave out {done.dropped_rows} lifter rows for their sum")
    for name, reason in done.failed.items():
        print(f"failed: {name}: {reason}", file=sys.stderr)
    if done.failed:
        print(f"{len(done.failed)} of {done.given} pictures failed", file=sys.stderr)
    return 1 if done.failed else 0
