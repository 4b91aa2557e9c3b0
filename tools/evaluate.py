"""Evaluate detections with the published protocols of MVOR; see --help of each command."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from orplugins.io.atomic import write_json
from orplugins.io.coco_results import (
    KeypointResults,
    box_records,
    has_boxes,
    load_box_results,
    load_keypoint_results,
    load_mv3dreg,
)
from orplugins.mvor.annotations import MVORAnnotations, load_mvor
from orplugins.mvor.mpjpe import mv3dreg_errors, view_support
from orplugins.mvor.pck import mvor_pck
from orplugins.mvor.person_ap import BOX_COLUMNS, KEYPOINT_BOX_COLUMNS, boxes_from_keypoints, person_ap
from orplugins.skeletons import CAMMA_10

EXAMPLES = """examples:
  python tools/evaluate.py mvor-pck --gt camma_mvor_2018.json --dt openpose_kps.json --out table.json
  python tools/evaluate.py mvor-ap  --gt camma_mvor_2018.json --dt faster_rcnn_bbox.json
  python tools/evaluate.py mvor-ap  --gt camma_mvor_2018.json --dt openpose_bbox.json --from-keypoints
  python tools/evaluate.py mvor-3d  --dt mv3dreg.mat"""


def evaluate_pck(truth: MVORAnnotations, path: str, args: argparse.Namespace) -> dict:
    detections = load_keypoint_results(path)
    ignored = _unknown_images(truth, detections)
    if ignored:
        print(f"warning: {path}: {ignored} detections are in images that {truth.path} does not have", file=sys.stderr)
    try:
        result = mvor_pck(*truth.keypoint_persons(), detections.image_ids, detections.keypoints, detections.scores)
    except ValueError as error:
        raise ValueError(f"{truth.path}, {path}: {error}") from None
    _print_row(Path(path).stem, result.columns, "{:.1f}")
    joints = dict(zip(CAMMA_10.joints, (100 * result.joints).tolist(), strict=True))
    if args.verbose:
        print(f"  persons {result.persons}, without a match {result.unmatched}, field '{detections.field}'")
        for name, value in joints.items():
            print(f"  {name:<15} {value:.4f}")
    return {
        "PCK@0.2": result.columns,
        "joints": joints,
        "persons": result.persons,
        "unmatched": result.unmatched,
        "ignored_detections": ignored,
    }


def evaluate_ap(truth: MVORAnnotations, path: str, args: argparse.Namespace) -> dict:
    annotations = truth.box_persons()
    boxes_given = has_boxes(path)
    if boxes_given:
        records = load_box_results(path)
    else:
        poses = load_keypoint_results(path, sizes=(51, 30))
        category = annotations[0]["category_id"] if annotations else "1"
        records = box_records(poses.image_ids, boxes_from_keypoints(poses.keypoints), poses.scores, category)
    try:
        summary = person_ap(truth.image_ids, annotations, records)
    except ValueError as error:
        raise ValueError(f"{truth.path}, {path}: {error}") from None
    columns = KEYPOINT_BOX_COLUMNS if args.from_keypoints or not boxes_given else BOX_COLUMNS
    _print_row(Path(path).stem, {name: summary[name] for name in columns}, "{:.3f}")
    if args.verbose:
        print(f"  images {len(truth.images)}, persons {len(annotations)}, detections {len(records)}")
        for name, value in summary.items():
            print(f"  {name:<15} {value:.4f}")
    return {"columns": list(columns), **summary}


def evaluate_3d(truth: MVORAnnotations | None, path: str, args: argparse.Namespace) -> dict:
    predicted, target, encoded = load_mv3dreg(path)
    if truth is not None:
        print(f"note: the ground truth is that in {path}; {truth.path} is checked but not used", file=sys.stderr)
    support = view_support(encoded)
    table = mv3dreg_errors(predicted, target, support)
    for views, errors in table.items():
        _print_row(f"{Path(path).stem}, {views} view{'s' if views > 1 else ''}", errors.columns, "{:.1f}")
        if args.verbose:
            print(f"  persons {errors.persons}, " + ", ".join(f"{k} {v:.4f}" for k, v in errors.columns.items()))
    if args.verbose:
        print(f"  persons without support, in no row: {int((support == 0).sum())}")
    return {str(views): {"persons": errors.persons, "cm": errors.columns} for views, errors in table.items()}


def _unknown_images(truth: MVORAnnotations, detections: KeypointResults) -> int:
    return int((~np.isin(detections.image_ids, truth.image_ids)).sum())


_header: tuple[str, ...] = ()


def _print_row(name: str, row: dict[str, float], form: str) -> None:
    """One row of a table; its head is printed when the columns change."""
    global _header
    if tuple(row) != _header:
        _header = tuple(row)
        print(f"{'':<28}" + "".join(f"{column:>12}" for column in row))
    print(f"{name:<28}" + "".join(f"{form.format(value):>12}" for value in row.values()))


def _parser() -> argparse.ArgumentParser:
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLES, formatter_class=layout)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, function, text, example in (
        ("mvor-pck", evaluate_pck, "2D pose, PCK@0.2: Head, Shoulder, Hip, Elbow, Wrist, Average in percent.", 1),
        ("mvor-ap", evaluate_ap, "Person boxes, COCO AP and AR. Of a file of keypoints, boxes are made.", 2),
        ("mvor-3d", evaluate_3d, "3D pose by supporting views: Shoulder, Hip, Elbow, Wrist, Average in cm.", 4),
    ):
        example = "example:\n" + EXAMPLES.splitlines()[example]
        command = commands.add_parser(name, help=text, description=text, epilog=example, formatter_class=layout)
        in_3d = name == "mvor-3d"
        gt_help = "MVOR annotation file" + (" (optional: the .mat file holds the ground truth)" if in_3d else "")
        command.add_argument("--gt", required=not in_3d, metavar="JSON", help=gt_help)
        command.add_argument(
            "--dt", required=True, action="append", metavar="FILE", help="detections; may be given several times"
        )
        command.add_argument("--out", metavar="JSON", help="write all numbers there")
        command.add_argument("--verbose", action="store_true", help="more digits, single joints, counts")
        if name == "mvor-ap":
            command.add_argument(
                "--from-keypoints",
                action="store_true",
                help="the boxes come from keypoints: report AP50 and the recall at IoU 0.50 with 1 and 10 detections",
            )
        command.set_defaults(function=function)
    return parser


def main(argv: list[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    try:
        truth = load_mvor(args.gt) if args.gt else None
        table = {path: args.function(truth, path, args) for path in args.dt}
        if args.out:
            write_json(args.out, table, indent=2)
    except (ValueError, OSError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
