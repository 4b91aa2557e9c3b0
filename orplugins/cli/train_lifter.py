"""Train the network that lifts 2D joints to 3D, on annotations with both.

Example:
    python tools/train_lifter.py outputs/toy/annotations.json --out outputs/lifter --width 128 --val test.json

Inputs are COCO-style files whose annotations have `keypoints` and `h36m_3d` (17 x X, Y, Z metres, Human3.6M's order).
Writes lifter.pth and statistics.json (what DATASETS.H36_STATS_PATH asks for) below --out, and report.json.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from orplugins.device import add_device_option
from orplugins.orpose_color.pipeline import train_lifting_network


def main(argv: list[str] | None = None) -> int:
    """Parse arguments, train, print the errors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("annotations", nargs="+", help="COCO-style files with h36m_3d")
    parser.add_argument("--out", type=Path, required=True, help="folder")
    parser.add_argument("--val", dest="validation", metavar="VAL", help="another such file: its error is printed")
    parser.add_argument("--statistics", help="normalise with this file (default: statistics of the pairs themselves)")
    parser.add_argument("--width", type=int, default=1024, help="features of a hidden layer (default: 1024)")
    parser.add_argument("--dropout", type=float, default=0.5)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--image-width", type=float, help="pixels (default: the files' own)")
    parser.add_argument("--seed", type=int, default=0)
    add_device_option(parser)
    try:
        report = train_lifting_network(**vars(parser.parse_args(argv))).report
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("  ".join(f"{key} {value:.1f}" for key, value in report.items()))
    return 0
