"""Weights that a student starts from: a network with a trained hard branch, and a trained lifting network.

    python dev/start_student.py outputs/teacher/model_final.pth outputs/lifter --out outputs/start.pth

The soft branch becomes a copy of the hard one, both lifting networks that of LIFTER (what tools/train_lifter.py wrote:
lifter.pth, statistics.json), and the statistics are stored.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

from orplugins.io.atomic import atomic_write
from orplugins.io.weights import read_weights, tensors_of
from orplugins.orpose_color.network import JointStatistics
from orplugins.orpose_color.statistics import load_statistics

HEAD = "roi_heads.keypoint_head."


def main(argv: list[str] | None = None) -> int:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, help="checkpoint of detectron2")
    parser.add_argument("lifter", type=Path, help="folder that tools/train_lifter.py wrote")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    try:
        state = tensors_of(read_weights(args.weights), "model", ("model",))
        lifter = tensors_of(read_weights(args.lifter / "lifter.pth"), "the lifter")
        statistics = JointStatistics(load_statistics(args.lifter / "statistics.json"), stored=True).state_dict()
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for part in ("weight", "bias"):
        state[f"{HEAD}score_lowres_soft.{part}"] = state[f"{HEAD}score_lowres.{part}"].clone()
    for kind in ("hard", "soft"):
        state |= {f"{HEAD}nw2Dto3D_{kind}.{name}": value.clone() for name, value in lifter.items()}
    state |= {f"{HEAD}statistics.{name}": value for name, value in statistics.items()}
    with atomic_write(args.out, "wb") as file:
        torch.save({"model": state}, file)
    print(f"{args.out}: {len(state)} tensors")
    return 0


if __name__ == "__main__":
    sys.exit(main())
