"""Evaluate detections with the published protocols of MVOR; see --help of each command."""

from __future__ import annotations

import argparse
import sys

from orplugins.io.atomic import write_json
from orplugins.mvor import pipeline
from orplugins.mvor.annotations import load_mvor

EXAMPLES = """examples:
  python tools/evaluate.py mvor-pck --gt camma_mvor_2018.json --dt openpose_kps.json --out table.json
  python tools/evaluate.py mvor-ap  --gt camma_mvor_2018.json --dt faster_rcnn_bbox.json
  python tools/evaluate.py mvor-ap  --gt camma_mvor_2018.json --dt openpose_bbox.json --from-keypoints
  python tools/evaluate.py mvor-3d  --dt mv3dreg.mat
  python tools/evaluate.py mvor-association --gt camma_mvor_2018_v2.json --dt runs/people.json"""
FROM_KEYPOINTS = "the boxes come from keypoints: report AP50 and the recall at IoU 0.50 with 1 and 10 detections"


def _parser() -> argparse.ArgumentParser:
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLES, formatter_class=layout)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text, example in (
        ("mvor-pck", "2D pose, PCK@0.2: Head, Shoulder, Hip, Elbow, Wrist, Average in percent.", 1),
        ("mvor-ap", "Person boxes, COCO AP and AR. Of a file of keypoints, boxes are made.", 2),
        ("mvor-3d", "3D pose by supporting views: Shoulder, Hip, Elbow, Wrist, Average in cm.", 4),
        ("mvor-association", "Who is who across cameras (files of tools/associate.py, or with person_id).", 5),
    ):
        epilog = "example:\n" + EXAMPLES.splitlines()[example]
        command = commands.add_parser(name, help=text, description=text, epilog=epilog, formatter_class=layout)
        in_3d = name == "mvor-3d"
        truth = "MVOR annotation file" + (" (optional: the .mat file holds the ground truth)" if in_3d else "")
        command.add_argument("--gt", required=not in_3d, metavar="JSON", help=truth)
        several = "detections; may be given several times"
        command.add_argument("--dt", required=True, action="append", metavar="FILE", help=several)
        command.add_argument("--out", metavar="JSON", help="write all numbers there")
        command.add_argument("--verbose", action="store_true", help="more digits, single joints, counts")
        if name == "mvor-ap":
            command.add_argument("--from-keypoints", action="store_true", help=FROM_KEYPOINTS)
    return parser


def _print(found: pipeline.Evaluation, verbose: bool, header: tuple[str, ...]) -> tuple[str, ...]:
    """Print a file's rows, below a header where the columns change; returns the last header."""
    print("".join(f"{note}\n" for note in found.notes), file=sys.stderr, end="")
    print(pipeline.rows_text(found.rows, header, verbose))
    print("".join(f"  {line}\n" for line in found.details if verbose), end="")
    return tuple(found.rows[-1].columns)


def main(argv: list[str] | None = None) -> int:
    """Parse arguments, evaluate each file, print its rows."""
    args = _parser().parse_args(argv)

    function = getattr(pipeline, args.command.replace("mvor-", "evaluate_"))
    options = {"from_keypoints": args.from_keypoints} if args.command == "mvor-ap" else {}
    header: tuple[str, ...] = ()
    table: dict[str, dict] = {}
    try:
        truth = load_mvor(args.gt) if args.gt else None
        for path in args.dt:
            found = function(truth, path, **options)
            header, table[path] = _print(found, args.verbose, header), found.numbers
        if args.out:
            write_json(args.out, table, indent=2)
    except (ValueError, OSError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
