"""Make a data set of a synthetic operating room: RGB-D pictures of people with exact 2D and 3D truth.

Example, 2000 depth frames from ever new cameras for training, and 100 three-view frames in MVOR's layout with colour:

    python tools/make_or_dataset.py --out outputs/or_train --frames 2000 --seed 1 --views 1 --depth-only --workers 2
    python tools/make_or_dataset.py --out outputs/or_test --frames 100 --seed 2

    python tools/make_or_dataset.py --out outputs/or_motion --frames 300 --seed 3 --motion 100     # clips of 4 seconds
    python tools/make_or_dataset.py --out outputs/itop --frames 200 --seed 4 --itop                # ITOP's HDF5 files
    python tools/make_or_dataset.py --out data/itop_or --frames 1500 --seed 1 --itop side --everyone --people 1-6

An interrupted run is continued by the same command; annotation files are written last.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from functools import partial

from orplugins.synthetic.pipeline import make_dataset, make_itop
from orplugins.synthetic.variety import PARTS


def _pair(pattern: str, expected: str):
    def parse(text: str) -> tuple[int, int]:
        match = re.fullmatch(pattern, text)
        if not match:
            raise argparse.ArgumentTypeError(f"found {text!r}, expected {expected}")
        return int(match[1]), int(match[2] or match[1])

    return parse


SIZE = _pair(r"(\d+)x(\d+)", "WIDTHxHEIGHT such as 640x480")
PEOPLE = _pair(r"(\d+)(?:-(\d+))?", "a number or LEAST-MOST such as 1-6")


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add, flag = parser.add_argument, partial(parser.add_argument, action="store_true")
    add("--out", required=True, help="folder of the data set")
    add("--frames", type=int, required=True, help="number of frames (each of all views)")
    add("--seed", type=int, default=0, help="another seed gives another data set (default: 0)")
    add("--start", type=int, default=0, help="number of the first frame (default: 0)")
    add("--size", type=SIZE, default=(640, 480), help="WIDTHxHEIGHT (default: 640x480)")
    add("--views", type=int, default=3, help="cameras, 1 to 3 (default: 3)")
    add("--people", type=PEOPLE, help="LEAST-MOST in the room (default: 1-6; ITOP's files: 1-3)")
    add("--cameras", choices=("fixed", "varied"), help="for the set (default of several views), or new for each frame")
    add("--motion", type=int, nargs="?", const=100, default=0, help="clips of so many frames (100), 25 a second")
    flag("--depth-only", help="no colour pictures: several times as fast")
    flag("--exact", help="leave out the sensor's errors")
    add("--hips", choices=("coco", "mvor"), default="coco", help="MVOR file: by its rule for COCO, or as annotated")
    flag("--masks", help="people's masks in the COCO file")
    add("--itop", nargs="?", const="both", choices=("side", "top", "both"), help="ITOP's HDF5 files (320x240) instead")
    flag("--everyone", help="ITOP: a row for each person, not one person a frame")
    add(
        "--variety", nargs="+", default=(), choices=(*PARTS, "all"), help="what varies beyond the theatre, for training"
    )
    add("--workers", type=int, default=0, help="processes; 0 renders in this one (default: 0)")
    args = parser.parse_args(argv)
    if (args.everyone and not args.itop) or (args.variety and args.itop):
        parser.error("--everyone: expected --itop too; --variety: expected no --itop")
    return args


def _make(args: argparse.Namespace) -> dict[str, int]:
    common = dict(noise=not args.exact, people=args.people or ((1, 3) if args.itop else (1, 6)))
    if args.itop:
        return make_itop(args.out, args.frames, args.seed, args.itop, everyone=args.everyone, **common)
    names = ("seed", "start", "size", "views", "workers", "motion", "hips", "masks", "variety")
    common |= {name: getattr(args, name) for name in names}
    common |= dict(color=not args.depth_only, fixed_cameras={"fixed": True, "varied": False}.get(args.cameras))
    return make_dataset(args.out, args.frames, **common)


def main(argv: list[str] | None = None) -> int:
    """Print where the set is and what is in it, as JSON."""
    args = _parse(argv)
    try:
        counts = _make(args)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps({"out": args.out, **counts}))
    return 0
