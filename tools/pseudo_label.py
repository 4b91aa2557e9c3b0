"""Label pictures of people with a teacher: boxes (detectron2), joints (mmpose or detectron2), 3D (a lifting network).

Examples:
    python tools/pseudo_label.py frames/ --out labels.json --lifter outputs/lifter/lifter.pth \\
        --statistics outputs/lifter/statistics.json --pose td-hm_hrnet-w48_8xb32-210e_coco-384x288.py \\
        --pose-weights hrnet_w48.pth
    torchrun --nproc-per-node 2 tools/pseudo_label.py ...          # every process takes its share

A run that was stopped is continued by the same command. --pose takes an mmpose config (.py) or a detectron2 keypoint
model (.yaml). The exit code is 1 if a picture failed; the others are labelled all the same.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from orplugins.device import add_device_option
from orplugins.io.images import find_pictures, read_image
from orplugins.orpose_color.label_store import LabelStore
from orplugins.orpose_color.statistics import load_statistics
from orplugins.orpose_color.teacher import ThreeStageTeacher, Thresholds, dropped_rows
from orplugins.orpose_color.train_lifter import load_lifter

CASCADE = "Misc/cascade_mask_rcnn_X_152_32x8d_FPN_IN5k_gn_dconv.yaml"


def build_teacher(args: argparse.Namespace) -> ThreeStageTeacher:
    import orplugins  # noqa: F401 - registers
    from orplugins.hosts.detectron2.predictor import KeypointsInBoxes, PersonDetector, Predictor, read_model_config

    thresholds = Thresholds(args.det_threshold, args.hard_threshold, args.lift_policy, args.min_hard_joints)
    statistics, network = load_statistics(args.statistics), load_lifter(args.lifter).to(args.device)

    def lift(rows: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return network(torch.as_tensor(rows, device=args.device)).cpu().numpy()

    detector = Predictor(read_model_config(args.detector, args.detector_weights, args.device))
    pose: Callable
    if args.pose.endswith(".py"):
        from orplugins.hosts.mmpose.topdown import TeacherPose, TopdownRunner

        pose = TeacherPose(TopdownRunner(args.pose, args.pose_weights, args.device))
    elif (args.pose, args.pose_weights) == (args.detector, args.detector_weights):
        pose = KeypointsInBoxes(detector)
    else:
        pose = KeypointsInBoxes(Predictor(read_model_config(args.pose, args.pose_weights, args.device)))
    return ThreeStageTeacher(PersonDetector(detector), pose, lift, statistics, thresholds)


def label(teacher: ThreeStageTeacher, store: LabelStore, todo: list[tuple[str, Path]], batch: int, quiet: bool) -> None:
    """Label pictures (name, path); one that cannot be read or labelled is noted and does not stop the others."""
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
            except (ValueError, RuntimeError):  # find out which of them it was
                found = []
                for name, image in images:
                    try:
                        found += teacher.label([image])
                    except (ValueError, RuntimeError) as error:
                        store.fail(name, f"{type(error).__name__}: {error}")
                        found.append(None)
            for (name, image), annotations in zip(images, found, strict=True):
                if annotations is not None:
                    store.add(name, *image.shape[:2], annotations)
            bar.update(len(todo[start : start + batch]))


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("images", nargs="+", help="pictures, or folders of them")
    options.add_argument("--out", required=True, help="label file (JSON)")
    options.add_argument("--root", help="folder that names in the label file are relative to (default: the pictures')")
    options.add_argument("--detector", default=CASCADE, help="detectron2 config: a file or a name in the model zoo")
    options.add_argument("--detector-weights", help="its weights (default: the model zoo's)")
    options.add_argument("--pose", required=True, help="mmpose config (.py) or detectron2 keypoint config (.yaml)")
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
    args = parser().parse_args(argv)
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    if args.device == "cuda" and "LOCAL_RANK" in os.environ:
        args.device = f"cuda:{os.environ['LOCAL_RANK']}"
    try:
        paths = find_pictures(args.images)
        root = Path(args.root) if args.root else Path(os.path.commonpath([path.resolve().parent for path in paths]))
        names = [Path(os.path.relpath(path.resolve(), root.resolve())).as_posix() for path in paths]
        if len(set(names)) != len(names):
            raise ValueError("a picture is given twice, expected each once")
        teacher = build_teacher(args)
        if world > 1:
            torch.distributed.init_process_group("gloo", timeout=timedelta(days=7))
        info = {
            "det_threshold": args.det_threshold,
            "hard_threshold": args.hard_threshold,
            "lift_policy": args.lift_policy,
            "min_hard_joints": args.min_hard_joints,
            "teacher": {
                "detector": [args.detector, args.detector_weights],
                "pose": [args.pose, args.pose_weights],
                "lifter": args.lifter,
            },
            "stats_sha256": teacher.statistics.digest,
        }
        store = LabelStore(args.out, info, rank)
        mine = list(zip(names, paths, strict=True))[rank::world]
        label(teacher, store, [each for each in mine if not store.is_done(each[0])], args.batch, quiet=rank > 0)
        if world > 1:
            torch.distributed.barrier()
            torch.distributed.destroy_process_group()
        if rank:
            return 0
        summary = store.merge(names)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    people = summary["annotations"]
    hard = sum(any(person["keypoints2d_hard"]) for person in people)
    joints = sum(person["num_keypoints"] for person in people)
    print(f"{args.out}: {summary['images']} pictures, {len(people)} people, {joints} hard joints, {hard} hard 3D poses")
    print(f"training will leave out {dropped_rows(people)} lifter rows for their sum")
    for name, error in summary["failed"].items():
        print(f"failed: {name}: {error}", file=sys.stderr)
    if summary["failed"]:
        print(f"{len(summary['failed'])} of {len(names)} pictures failed", file=sys.stderr)
    return 1 if summary["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
