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
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

from orplugins.depth.image import downsample
from orplugins.depth.png import load_depth, save_depth
from orplugins.io.atomic import atomic_write, write_json
from orplugins.mvor.annotations import load_mvor


def reduced(data: Path, out: Path, factor: int) -> Path:
    """A folder with the set's pictures, each side `factor` times smaller."""
    folder = out / f"x{factor}"
    for image in load_mvor(data / "annotations/mvor.json").images:
        path = folder / image["file_name"]
        if not path.exists():
            save_depth(path, downsample(load_depth(data / image["file_name"]), factor=factor, holes="valid"))
    return folder


def stock_test(config: Path, weights: Path, data: Path, pictures: Path, size: tuple[int, int], out: Path) -> dict:
    """Metrics of the stock script on pictures that stand for frames of `size`."""
    mmpose = Path(importlib.util.find_spec("mmpose").origin).parent
    truth = (data / "annotations/mvor.json").resolve()
    changes = {
        "test_dataloader.dataset.data_root": f"{pictures}/",
        "test_dataloader.dataset.ann_file": truth,
        "test_dataloader.num_workers": 0,
        "test_dataloader.persistent_workers": False,
        "test_evaluator.ann_file": truth,
        "test_dataloader.dataset.pipeline.1.frame_size": f"{size[0]},{size[1]}",
    }
    command = [
        sys.executable,
        mmpose / ".mim/tools/test.py",
        config,
        weights,
        "--work-dir",
        out / "work",
        "--out",
        out / "metrics.json",
        "--cfg-options",
        *(f"{name}={value}" for name, value in changes.items()),
    ]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=dict(os.environ))
    if done.returncode:
        raise RuntimeError(f"{config}: the stock test exited with {done.returncode}:\n{done.stdout}{done.stderr}")
    return json.loads((out / "metrics.json").read_text())


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path, help="a config whose test pipeline is LoadDepth, DepthToInput, Pack...")
    parser.add_argument("weights", type=Path)
    parser.add_argument("data", type=Path, help="a set of tools/make_or_dataset.py, 640x480")
    parser.add_argument("--out", type=Path, required=True, help="folder for reduced pictures and results")
    parser.add_argument("--factors", type=int, nargs="+", default=[1, 2, 4, 6, 8, 10, 12], help="default: 1 to 12")
    args = parser.parse_args(argv)
    try:
        size = json.loads((args.data / "parameters.json").read_text())["size"]
        rows = {}
        for factor in args.factors:
            pictures = reduced(args.data, args.out.resolve(), factor)
            rows[factor] = stock_test(args.config, args.weights, args.data, pictures, tuple(size), args.out.resolve())
            print(factor, {name: round(value, 1) for name, value in rows[factor].items()}, flush=True)
    except (OSError, ValueError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    write_json(args.out / "ladder.json", {str(factor): metrics for factor, metrics in rows.items()}, indent=1)
    names = list(next(iter(rows.values())))
    with atomic_write(args.out / "ladder.md") as file:
        file.write("| reduced | pixels | " + " | ".join(n.partition("/")[2] for n in names) + " |\n")
        file.write("|---" * (len(names) + 2) + "|\n")
        for factor, metrics in rows.items():
            pixels = f"{round(size[0] / factor)}x{round(size[1] / factor)}"
            file.write(f"| {factor}x | {pixels} | " + " | ".join(f"{metrics[n]:.1f}" for n in names) + " |\n")
    print(args.out / "ladder.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
