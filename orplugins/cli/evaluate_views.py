"""AP, PCK and joint states of a pose network on whole people and on views of parts of them.

Example:
    python tools/evaluate_views.py --data data/partial_people/val --out views.json \\
        --config configs/mmpose/partial_body/vitpose-t_people-states_128x96.py --checkpoint epoch_7.pth

The views are the files below DIR/annotations, as tools/make_partial_views.py writes them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from orplugins.device import add_device_option
from orplugins.io.tables import markdown_table
from orplugins.partial_body.view_sets import VIEWS

COLUMNS = ("coco/AP", "coco/AP .5", "PCK", "state/accuracy", "state/balanced")


def main(argv: list[str] | None = None) -> int:
    """Parse arguments, evaluate, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the views")
    parser.add_argument("--views", nargs="+", default=list(VIEWS), help="default: " + " ".join(VIEWS))
    parser.add_argument("--out", type=Path, metavar="JSON", help="write all numbers there")
    add_device_option(parser)
    args = parser.parse_args(argv)

    from orplugins.partial_body.mmpose.pipeline import evaluate_views

    try:
        table = evaluate_views(**vars(args))
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    columns = [name for name in COLUMNS if name in next(iter(table.values()))]
    rows = [[view, row["people"], *(f"{row[name]:.3f}" for name in columns)] for view, row in table.items()]
    print(markdown_table(["view", "people", *columns], rows))
    return 0
