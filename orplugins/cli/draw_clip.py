"""Draw detected poses on the colour pictures of a generated clip, next to the low-resolution depth that was seen.

Example:
    python tools/draw_clip.py outputs/demo/clip outputs/demo/depthpose/detections.keypoints.json --out outputs/drawn

Writes `clip.gif` (all cameras; colour above, depth below) and `contact_sheet.png` (moments of the clip with the truth).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from orplugins.synthetic.pipeline import draw_clip


def main(argv: list[str] | None = None) -> int:
    """Print the files' paths."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="a clip of tools/make_or_dataset.py with colour")
    parser.add_argument("detections", type=Path, help="JSON list: image_id, (coco_)keypoints of 51 numbers, score")
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--low", type=int, nargs=2, default=(64, 48), metavar=("W", "H"), help="size that was seen")
    parser.add_argument("--every", type=int, default=2, help="take every n-th frame into the gif (default: 2)")
    args = parser.parse_args(argv)
    try:
        drawn = draw_clip(args.data, args.detections, args.out, tuple(args.low), args.every)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{drawn.clip}\n{drawn.sheet}")
    return 0
