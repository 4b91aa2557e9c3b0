"""Make COCO sets that show people only in part (cut at the waist, the chest, or one side), to test pose networks on.

Example:
    python tools/make_partial_views.py --ann val/annotations/coco17.json --images val --out data/partial_people/val

Several files with a folder each become one set. Every person gives one picture a view. `whole` is the set as it is.
16-bit depth images become grey pictures.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from orplugins.partial_body.pipeline import make_views
from orplugins.partial_body.view_sets import VIEWS


def main(argv: list[str] | None = None) -> int:
    """Parse arguments, write the views, print what was written and what was left out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--ann", type=Path, nargs="+", required=True, metavar="JSON", help="COCO keypoint files, 17 joints"
    )
    parser.add_argument(
        "--images", type=Path, nargs="+", required=True, metavar="DIR", help="folders of their pictures"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the sets")
    parser.add_argument("--views", nargs="+", default=list(VIEWS), choices=VIEWS, help="default: all")
    args = parser.parse_args(argv)

    try:
        counts, problems = make_views(args.ann, args.images, args.out, args.views)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for view, count in counts.items():
        print(f"{args.out / 'annotations' / view}.json: {count} people")
    for problem in problems:
        print(f"left out: {problem}", file=sys.stderr)
    return 1 if problems else 0
