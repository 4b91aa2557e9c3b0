"""Files around RefiNet: published pickles of poses, and checkpoints of the modules.

Examples:

    python tools/refinet_files.py poses-to-npz openpose.pkl --out data/ITOP/keypoints_side_test.npz --format px
    python tools/refinet_files.py merge-weights --a work_dirs/a/best.pth --b work_dirs/b/best.pth \\
        --c work_dirs/c/best.pth --out refinet_itop-side.pth

A pickle is read by a machine that can build arrays, numbers, text and containers, and nothing else.
"""

from __future__ import annotations

import argparse
import sys

from orplugins.refinet.pipeline import NETWORKS, merge_weights, poses_to_npz
from orplugins.refinet.pose_files import FORMATS


def main(argv: list[str] | None = None) -> int:
    """Write the file and say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    poses = commands.add_parser("poses-to-npz", help="a published pickle of input poses as npz")
    poses.add_argument("file")
    poses.add_argument("--format", choices=sorted(FORMATS), help="what the columns are; checks their number")
    weights = commands.add_parser("merge-weights", help="one checkpoint for the chain from the modules' checkpoints")
    for key, net in NETWORKS.items():
        weights.add_argument(f"--{key}", help=f"checkpoint of module {key.upper()} ({net}), ours or published")
    for command in (poses, weights):
        command.add_argument("--out", required=True)
    args = parser.parse_args(argv)
    try:
        if args.command == "poses-to-npz":
            print(poses_to_npz(args.file, args.out, args.format))
        else:
            print(merge_weights(args.out, {key: getattr(args, key) for key in NETWORKS if getattr(args, key)}))
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
