"""Evaluate a model on pictures reduced 1 to 12 times, and plot metric against scale.

Example:
    python tools/resolution_ladder.py --config-file configs/detectron2/orpose_color/orpose_tiny.yaml \\
        --weights outputs/student/model_final.pth --out outputs/ladder \\
        DATASETS.TEST_SET_NAME toy DATASETS.TEST_SET_JSON annotations.json DATASETS.TEST_SET_IMGDIR images

--weights may be given several times (NAME=FILE names a line). Writes ladder.json, ladder.md and ladder.png below --out.
The metrics are those that the set's annotations allow: AP, PCK, MPJPE.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from detectron2.modeling import build_model
from detectron2.utils.logger import setup_logger

import orplugins  # noqa: F401 - registers
from orplugins.device import add_device_option
from orplugins.hosts.detectron2.checkpoint import load_weights
from orplugins.io.atomic import atomic_write, write_json
from orplugins.io.check_weights import check_weights
from orplugins.orpose_color.detectron2.mapper import LowResolution
from orplugins.orpose_color.detectron2.resolution_sweep import evaluate_ladder, format_ladder
from orplugins.orpose_color.detectron2.trainer import read_config
from orplugins.viz.figures import plot_ladder


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config-file", required=True)
    parser.add_argument("--weights", required=True, action="append", metavar="[NAME=]FILE", help="'' is untrained")
    parser.add_argument("--out", type=Path, required=True, help="folder")
    parser.add_argument("--factors", type=float, nargs="+", default=[1, 2, 4, 8, 10, 12])
    add_device_option(parser)
    parser.add_argument("opts", nargs=argparse.REMAINDER, help="KEY VALUE pairs of the config")
    args = parser.parse_args(argv)
    try:
        cfg = read_config(args.config_file, ["MODEL.DEVICE", args.device, *args.opts], train=False)
        if not cfg.DATASETS.TEST:
            raise ValueError("DATASETS.TEST: is empty, expected a set to evaluate on (DATASETS.TEST_SET_JSON ...)")
        for factor in args.factors:
            LowResolution(factor)  # refuses a factor below 1 before anything is computed
        files = {}
        for entry in args.weights:
            name, equals, file = entry.partition("=")
            if not equals:
                name, file = Path(entry).stem, entry
            if name in files:
                raise ValueError(f"--weights: {files[name]} and {file} are both named {name}, expected NAME=FILE")
            if file:
                check_weights(file)
            files[name] = file
        for name in ("detectron2", "orplugins"):
            setup_logger(str(args.out / "log.txt"), name=name)
        tables = {}
        for name, file in files.items():
            model = build_model(cfg).eval()
            if file:
                load_weights(model, file)
            tables[name] = evaluate_ladder(cfg, model, cfg.DATASETS.TEST[0], args.factors, str(args.out / name))
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    write_json(args.out / "ladder.json", {n: {f"{k:g}": v for k, v in t.items()} for n, t in tables.items()}, indent=1)
    text = "\n\n".join(f"{name}\n\n{format_ladder(table)}" for name, table in tables.items())
    with atomic_write(args.out / "ladder.md") as file:
        file.write(text + "\n")
    plot_ladder(tables, args.out / "ladder.png")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
