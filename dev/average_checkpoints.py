"""The mean of some checkpoints of one training: steadier than any one of them.

python dev/average_checkpoints.py work_dirs/x/epoch_4.pth work_dirs/x/epoch_5.pth --out work_dirs/x/average.pth
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

from orplugins.io.weights import misfits, read_weights


def main(argv: list[str] | None = None) -> int:
    """Write the mean as mmengine's checkpoint, with the last one's notes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", nargs="+", type=Path, help="of mmengine's runner")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    contents = [read_weights(path, ignore_unknown=True) for path in args.checkpoints]
    states = [content["state_dict"] for content in contents]
    for path, state in zip(args.checkpoints, states, strict=True):
        if misfits(state, states[0]) or misfits(states[0], state):
            print(f"error: {path}: found other parameters than in {args.checkpoints[0]}", file=sys.stderr)
            return 1
    mean = {
        name: torch.stack([state[name].double() for state in states]).mean(0).to(value.dtype)
        if value.is_floating_point()
        else value
        for name, value in states[-1].items()
    }
    torch.save({"state_dict": mean, "meta": contents[-1].get("meta", {})}, args.out)
    print(args.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
