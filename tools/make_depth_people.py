"""Make a data set of generated depth frames with people, in MVOR's layout and as COCO keypoints.

Example, 2000 frames for training and 200 of three cameras for testing:

    python tools/make_depth_people.py --out outputs/people --frames 2000 --seed 1 --workers 2
    python tools/make_depth_people.py --out outputs/people_3views --frames 200 --seed 2 --views 3

An interrupted run is continued by the same command.
"""

from __future__ import annotations

import argparse
import json
import re
import sys

from orplugins.synthetic.mvor_layout import write_dataset


def parse_size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if not match or "0" in match.groups():
        raise argparse.ArgumentTypeError(f"found {text!r}, expected WIDTHxHEIGHT such as 640x480")
    return int(match[1]), int(match[2])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="folder of the data set")
    parser.add_argument("--frames", type=int, required=True, help="number of frames")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives another data set (default: 0)")
    parser.add_argument("--start", type=int, default=0, help="number of the first frame (default: 0)")
    parser.add_argument("--size", type=parse_size, default=(640, 480), help="WIDTHxHEIGHT (default: 640x480)")
    parser.add_argument("--views", type=int, choices=(1, 3), default=1, help="cameras for each frame (default: 1)")
    parser.add_argument("--exact", action="store_true", help="leave out the depth sensor's errors")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0 renders in this one (default: 0)")
    args = parser.parse_args(arguments)

    from tqdm import tqdm

    with tqdm(total=args.frames, unit="frame") as bar:
        try:
            counts = write_dataset(
                args.out,
                frames=args.frames,
                seed=args.seed,
                start=args.start,
                size=args.size,
                views=args.views,
                noise=not args.exact,
                workers=args.workers,
                progress=lambda done, _: bar.update(done - bar.n),
            )
        except (ValueError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    print(json.dumps({"out": args.out, **counts}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
