"""Make the detector's sets, patients and users, of generated operating-room pictures.

Example:
    python tools/make_or_dataset.py --out data/or_color/train --frames 500 --seed 11 --size 320x240 --cameras varied
    python tools/make_detector_set.py --ann data/or_color/train/annotations/coco17_color.json \\
        --images data/or_color/train --out data/partial_body --split train

detectron2 finds the set as partial_body_train (partial_body_NAME of --split NAME) with DETECTRON2_DATASETS=data.
Pictures are not copied.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from orplugins.partial_body.detector_set import write_detector_set


def main(argv: list[str] | None = None) -> int:
    """Parse arguments, write the set, print its counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ann", type=Path, required=True, metavar="JSON", help="COCO file with the people's roles")
    parser.add_argument("--images", type=Path, required=True, metavar="DIR", help="folder of its pictures")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="such as data/partial_body")
    parser.add_argument("--split", default="train", metavar="NAME", help="train (default), val or another name")
    args = parser.parse_args(argv)
    try:
        counts = write_detector_set(args.ann, args.images, args.out, args.split)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    boxes = ", ".join(f"{count} {name}s" for name, count in counts.items())
    print(f"{args.out / 'annotations' / args.split}.json: {boxes}")
    return 0
