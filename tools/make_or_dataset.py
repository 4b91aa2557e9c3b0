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

from orplugins.synthetic.export.mvor_layout import write_dataset


def parse_size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected WIDTHxHEIGHT such as 640x480")
    return int(match[1]), int(match[2])


def parse_people(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)(?:-(\d+))?", text)
    if not match:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number or LEAST-MOST such as 1-6")
    return int(match[1]), int(match[2] or match[1])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="folder of the data set")
    parser.add_argument("--frames", type=int, required=True, help="number of frames (each of all views)")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives another data set (default: 0)")
    parser.add_argument("--start", type=int, default=0, help="number of the first frame (default: 0)")
    parser.add_argument("--size", type=parse_size, default=(640, 480), help="WIDTHxHEIGHT (default: 640x480)")
    parser.add_argument("--views", type=int, default=3, help="cameras, 1 to 3 (default: 3)")
    parser.add_argument("--people", type=parse_people, help="LEAST-MOST in the room (default: 1-6; ITOP's files: 1-3)")
    parser.add_argument(
        "--cameras",
        choices=("fixed", "varied"),
        help="fixed for the whole set, as in MVOR, or new for each frame (default: fixed for several "
        "views, varied for one)",
    )
    parser.add_argument(
        "--motion",
        type=int,
        nargs="?",
        const=100,
        default=0,
        metavar="FRAMES",
        help="people move: clips of FRAMES frames, 25 a second (without a number: 100)",
    )
    parser.add_argument("--depth-only", action="store_true", help="no colour pictures: several times as fast")
    parser.add_argument("--exact", action="store_true", help="leave out the sensor's errors")
    parser.add_argument(
        "--hips",
        choices=("coco", "mvor"),
        default="coco",
        help="MVOR file: joints by MVOR's rule for COCO predictions, or where its annotators put head, "
        "neck and hips (default: coco)",
    )
    parser.add_argument("--masks", action="store_true", help="people's masks in the COCO file")
    parser.add_argument(
        "--itop",
        nargs="?",
        const="both",
        choices=("side", "top", "both"),
        help="write ITOP's HDF5 files (320x240) of this view instead (default: both); needs h5py",
    )
    parser.add_argument("--everyone", action="store_true", help="ITOP: a row for each person, not one person a frame")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0 renders in this one (default: 0)")
    args = parser.parse_args(arguments)

    if args.everyone and not args.itop:
        parser.error("--everyone: expected --itop too")

    from tqdm import tqdm

    with tqdm(total=args.frames, unit="frame") as bar:

        def progress(done: int, _: int) -> None:
            bar.update(done - bar.n)

        try:
            if args.itop:
                from orplugins.synthetic.export.itop_files import VIEWS, write_itop

                counts = write_itop(
                    args.out,
                    args.frames,
                    args.seed,
                    noise=not args.exact,
                    progress=progress,
                    views=VIEWS if args.itop == "both" else (args.itop,),
                    people=args.people or (1, 3),
                    everyone=args.everyone,
                )
            else:
                fixed = None if args.cameras is None else args.cameras == "fixed"
                counts = write_dataset(
                    args.out,
                    frames=args.frames,
                    seed=args.seed,
                    start=args.start,
                    size=args.size,
                    views=args.views,
                    people=args.people or (1, 6),
                    noise=not args.exact,
                    workers=args.workers,
                    progress=progress,
                    color=not args.depth_only,
                    fixed_cameras=fixed,
                    motion=args.motion,
                    hips=args.hips,
                    masks=args.masks,
                )
        except (ValueError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    print(json.dumps({"out": args.out, **counts}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
