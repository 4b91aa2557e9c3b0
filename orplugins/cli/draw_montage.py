"""A picture of what the generator makes: frames in colour, depth and 64x48 depth, moments of a clip, or what varies.

Example:
    python tools/draw_montage.py --out docs/synthetic/room.png
    python tools/draw_montage.py --out docs/synthetic/motion.png --motion
    python tools/draw_montage.py --out outputs/variety.png --variety all --numbers $(seq 0 23)
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from orplugins.synthetic.pipeline import draw_montage
from orplugins.synthetic.variety import PARTS


def main(argv: list[str] | None = None) -> int:
    """Print the file's path and size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the PNG to write")
    parser.add_argument("--seed", type=int, default=7, help="seed of the frames (default: 7)")
    parser.add_argument("--numbers", type=int, nargs="+", default=[0, 4], help="frames, or the clip (default: 0 4)")
    parser.add_argument("--motion", action="store_true", help="moments of a clip instead")
    parser.add_argument(
        "--variety", nargs="+", default=[], choices=(*PARTS, "all"), help="colour pictures where these parts vary"
    )
    args = parser.parse_args(argv)
    try:
        width, height = draw_montage(args.out, args.seed, tuple(args.numbers), args.motion, tuple(args.variety))
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{args.out}: {width}x{height}")
    return 0
