"""How much better refined 3D poses are than plain lifting, on frames with several people and 3D truth.

Example, true 2D joints moved by 4 pixels, and detections of any 2D estimator:

    python tools/make_or_dataset.py --out data/or_color/val --frames 60 --seed 12 --size 320x240
    python tools/evaluate_refine3d.py data/or_color/val --noise 4 --out outputs/refine3d_val
    python tools/evaluate_refine3d.py data/or_color/val --poses detections.json --out outputs/refine3d_val

The data set is what tools/make_or_dataset.py writes; detections are a COCO result list whose image ids are the data
set's. Joints that the 2D pose lacks are not counted. Prints a table and writes report.json, report.md and pictures to
--out. A frame that cannot be used is reported, the others are done, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from orplugins.device import add_device_option
from orplugins.refinet.pipeline import EvaluateSettings, evaluate_refinement


def main(argv: list[str] | None = None) -> int:
    """Print the table; the exit code is 1 where an image could not be used."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder of the data set")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    parser.add_argument("--poses", type=Path, help="detections (default: the labels)")
    parser.add_argument("--noise", type=float, help="pixels that labels are moved by (default: 4)")
    parser.add_argument("--seed", type=int, default=0, help="of that noise (default: 0)")
    parser.add_argument("--config", type=Path, help="of the chain")
    parser.add_argument("--weights", type=Path, help="of the chain (refinet_files.py merge-weights)")
    parser.add_argument("--min-score", type=float, default=0.0, help="2D joints below it are missing")
    unit = "millimetres a count of the depth images (default: 1)"
    parser.add_argument("--depth-unit-mm", type=float, default=1.0, metavar="MM", help=unit)
    add_device_option(parser)
    parser.add_argument("--images", type=int, help="take that many of the images, evenly spaced (default: all)")
    parser.add_argument("--pictures", type=int, default=4, help="frames to draw, evenly spaced (default: 4)")
    args = parser.parse_args(argv)
    if args.poses and args.noise is not None:
        parser.error("found --poses and --noise, expected one of them")
    args.noise = 4.0 if args.noise is None else args.noise
    try:
        report = evaluate_refinement(EvaluateSettings(**vars(args)))
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for name, why in report.failed.items():
        print(f"error: {name}: {why}", file=sys.stderr)
    if report.problem:
        print(f"error: {report.problem}", file=sys.stderr)
        return 1
    print(report.text)
    return 1 if report.failed else 0
