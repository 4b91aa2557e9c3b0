"""What is in a generated data set, next to what is known of MVOR: boxes, joints, cameras, and the generator's faults.

Example:
    python tools/make_or_dataset.py --out outputs/or --frames 200 --seed 9100 --depth-only --size 160x120
    python tools/dataset_statistics.py outputs/or

Reads the COCO file (and, for `--scenes`, puts the scenes of the same seed together again to measure interpenetration).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from orplugins.io.atomic import write_json
from orplugins.synthetic.pipeline import MVOR, describe_dataset


def main(argv: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a data set of tools/make_or_dataset.py")
    parser.add_argument("--scenes", type=int, default=100, help="scenes measured for interpenetration (default: 100)")
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    args = parser.parse_args(argv)
    try:
        rows = describe_dataset(args.folder, args.scenes)
        if args.json:
            write_json(args.json, rows, indent=1)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    width = max(map(len, rows))
    for name, value in rows.items():
        print(f"| {name:<{width}} | {value:>24} | {MVOR.get(name, ''):>20} |")
    return 0
