"""Compare the PAF decoders on generated scenes whose people are known.

Example:
    python tools/compare_decoders.py --out runs/decoders --scenes 40

Prints a table and writes ``decoders.json`` to --out. A joint is found if it is within 10 % of its person's extent
(at least 8 pixels). Every decoded person is given to the true one of whom it has most joints, one to one.
  recall   true people of whom at least half of the joints are found
  false    decoded people a scene that are not one of those: pieces and mixtures
  PCK      true joints that are found
  wrong    joints a scene that sit on another person than the one they are given to
  error    mean pixels of the found joints (the half pixel that 'published' adds is taken off first)
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from orplugins.depthpose.pipeline import PEOPLE, compare_decoders

JOINTS = "{pck:7.3f} {wrong:7.2f} {error_px:7.2f} px {median_ms:8.1f} ms"
ROW = "{people:6d}  {decode:10s} {recall:7.3f} {false:7.2f} " + JOINTS


def main(argv: list[str] | None = None) -> int:
    """Parse arguments, compare, print each row when it is done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for decoders.json")
    parser.add_argument("--scenes", type=int, default=20, help="scenes for each number of people")
    parser.add_argument("--people", type=int, nargs="+", default=PEOPLE, help="numbers of people in a scene")
    parser.add_argument("--noise", type=float, default=0.02, help="noise of the heatmaps; the fields get twice as much")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    if args.scenes < 1 or min(args.people) < 1:
        parser.error("--scenes and --people must be at least 1")
    print(f"people  decode      recall   false     PCK   wrong      error   a scene ({args.scenes} scenes a row)")
    try:
        compare_decoders(**vars(args), on_row=lambda row: print(ROW.format(**row), flush=True))
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
