"""PCK of a depth network against how far its depth pictures are down-sampled, through mmpose's stock test script.

Example:
    python tools/make_or_dataset.py --out outputs/ladder --frames 20 --seed 9000 --depth-only
    python tools/depth_ladder.py configs/mmpose/depthpose/depthpose_tiny-64x48.py \\
        demo/depthpose_tiny-64x48.safetensors \\
        outputs/ladder --out outputs/ladder_result

A step k reduces the set's pictures k times (measured pixels are averaged), as a sensor of that size would see them; the
config's pipeline then brings them to the network's input. Writes `ladder.json` and `ladder.md`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main(argv: list[str] | None = None) -> int:
    """Parse arguments, evaluate, print each factor's metrics when they are known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path, help="a config whose test pipeline is LoadDepth, DepthToInput, Pack...")
    parser.add_argument("weights", type=Path)
    parser.add_argument("data", type=Path, help="a set of tools/make_or_dataset.py, 640x480")
    parser.add_argument("--out", type=Path, required=True, help="folder for reduced pictures and results")
    parser.add_argument("--factors", type=int, nargs="+", default=[1, 2, 4, 6, 8, 10, 12], help="default: 1 to 12")
    args = parser.parse_args(argv)

    from orplugins.depthpose.mmpose.pipeline import sweep_depth_resolutions

    def on_row(factor: int, metrics: dict[str, float]) -> None:
        print(factor, {name: round(value, 1) for name, value in metrics.items()}, flush=True)

    try:
        sweep_depth_resolutions(**vars(args), on_row=on_row)
    except (OSError, ValueError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(args.out / "ladder.md")
    return 0
