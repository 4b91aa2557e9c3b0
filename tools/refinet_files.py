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
from pathlib import Path

import numpy as np

from orplugins.io.atomic import atomic_write
from orplugins.io.safe_pickle import load_plain_pickle
from orplugins.refinet.pose_files import FORMATS, load_itop_poses, save_itop_poses

NETWORKS = {"a": "patch_net", "b": "skeleton_net", "c": "point_net"}


def poses_to_npz(args: argparse.Namespace) -> str:
    if Path(args.out).suffix != ".npz":
        raise ValueError(f"{args.out}: expected a name ending in .npz")
    content = load_plain_pickle(args.file)
    if isinstance(content, np.ndarray):  # Baracca: one array for all frames
        with atomic_write(args.out, "wb") as file:
            np.savez(file, arr_0=content)
        return f"{args.out}: arr_0 {content.shape} {content.dtype}"
    poses = load_itop_poses(args.file, args.format)
    rows = sorted(poses)
    columns = {pose.shape[1] for pose in poses.values()}
    if len(columns) > 1:
        raise ValueError(f"{args.file}: poses have {sorted(columns)} columns, expected the same number")
    save_itop_poses(args.out, np.array(rows), np.stack([poses[row] for row in rows]))
    return f"{args.out}: {len(rows)} poses of {columns.pop()} columns, rows {rows[0]} to {rows[-1]}"


def merge_weights(args: argparse.Namespace) -> str:
    import torch

    from orplugins.io.weights import read_weights
    from orplugins.refinet.checkpoint import bare_state_dict, which_network

    given = {net: getattr(args, key) for key, net in NETWORKS.items() if getattr(args, key)}
    if not given:
        raise ValueError("merge-weights: expected at least one of --a, --b, --c")
    merged, sources = {}, {}
    for net, path in given.items():
        content = read_weights(path)
        state = content.get("state_dict", content) if isinstance(content, dict) else {}
        found = which_network(state)
        if found != net:
            raise ValueError(f"{path}: found {found or 'no network of RefiNet'}, expected {net}")
        merged |= {f"chain.{net}.net.{name}": value for name, value in bare_state_dict(state).items()}
        sources[net] = Path(path).name
    with atomic_write(args.out, "wb") as file:
        torch.save({"state_dict": merged, "meta": {"method": "RefiNet", "sources": sources}}, file)
    return f"{args.out}: {', '.join(given)}, {len(merged)} tensors"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    poses = commands.add_parser("poses-to-npz", help="a published pickle of input poses as npz")
    poses.add_argument("file")
    poses.add_argument("--format", choices=sorted(FORMATS), help="what the columns are; checks their number")
    poses.set_defaults(run=poses_to_npz)
    weights = commands.add_parser("merge-weights", help="one checkpoint for the chain from the modules' checkpoints")
    for key, net in NETWORKS.items():
        weights.add_argument(f"--{key}", help=f"checkpoint of module {key.upper()} ({net}), ours or published")
    weights.set_defaults(run=merge_weights)
    for command in (poses, weights):
        command.add_argument("--out", required=True)
    args = parser.parse_args(arguments)
    try:
        print(args.run(args))
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
