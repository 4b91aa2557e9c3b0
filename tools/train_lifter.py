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

import numpy as np
import torch
from tqdm import tqdm

from orplugins.device import add_device_option
from orplugins.geometry.pose_error import mpjpe
from orplugins.io.atomic import atomic_write, write_json
from orplugins.orpose_color.annotations import lifting_pairs
from orplugins.orpose_color.lifting import PoseStatistics, statistics_of
from orplugins.orpose_color.network import LiftingNetwork
from orplugins.orpose_color.statistics import load_statistics, save_statistics
from orplugins.orpose_color.train_lifter import fit_lifter


def error_of(network: LiftingNetwork, statistics: PoseStatistics, keypoints: np.ndarray, poses: np.ndarray) -> float:
    """MPJPE in millimetres over the 17 joints, relative to the pelvis."""
    with torch.no_grad():
        found = network.cpu()(torch.tensor(statistics.normalise_row(keypoints), dtype=torch.float32)).numpy()
    return mpjpe(statistics.pose(found), poses - poses[:, :1])


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("annotations", nargs="+", help="COCO-style files with h36m_3d")
    parser.add_argument("--out", type=Path, required=True, help="folder")
    parser.add_argument("--val", help="another such file: its error is printed")
    parser.add_argument("--statistics", help="normalise with this file (default: statistics of the pairs themselves)")
    parser.add_argument("--width", type=int, default=1024, help="features of a hidden layer (default: 1024)")
    parser.add_argument("--dropout", type=float, default=0.5)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--image-width", type=float, help="pixels (default: the files' own)")
    parser.add_argument("--seed", type=int, default=0)
    add_device_option(parser)
    args = parser.parse_args(argv)
    try:
        pairs = [lifting_pairs(path) for path in args.annotations]
        keypoints, poses = (np.concatenate(column) for column in zip(*pairs, strict=True))
        statistics = load_statistics(args.statistics) if args.statistics else statistics_of(keypoints, poses)
        width = args.image_width or _width(args.annotations)
        validation = lifting_pairs(args.val) if args.val else None
        with tqdm(total=args.epochs, unit="epoch", disable=None) as bar:
            network = fit_lifter(
                keypoints,
                poses,
                statistics,
                image_width=width,
                width=args.width,
                dropout=args.dropout,
                epochs=args.epochs,
                seed=args.seed,
                device=args.device,
                progress=lambda _, loss: (bar.set_postfix(loss=f"{loss:.4f}"), bar.update()),
            )
        report = {"pairs": len(keypoints), "train_mpjpe_mm": error_of(network, statistics, keypoints, poses)}
        if validation:
            report["val_pairs"] = len(validation[0])
            report["val_mpjpe_mm"] = error_of(network, statistics, *validation)
            report["val_mpjpe_of_the_mean_pose_mm"] = mpjpe(
                np.repeat(statistics.pose(np.zeros((1, 48))), len(validation[1]), axis=0),
                validation[1] - validation[1][:, :1],
            )
        with atomic_write(args.out / "lifter.pth", "wb") as file:
            torch.save(network.state_dict(), file)
        save_statistics(args.out / "statistics.json", statistics)
        write_json(args.out / "report.json", report, indent=1)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("  ".join(f"{key} {value:.1f}" for key, value in report.items()))
    return 0


def _width(paths: list[str]) -> float:
    from orplugins.io.json_fields import load_json

    widths = {image["width"] for path in paths for image in load_json(path)["images"]}
    if len(widths) != 1:
        raise ValueError(f"pictures have the widths {sorted(widths)}, expected one (or --image-width)")
    return float(widths.pop())


if __name__ == "__main__":
    sys.exit(main())
