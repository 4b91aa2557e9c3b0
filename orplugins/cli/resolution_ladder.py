"""Evaluate a model on pictures reduced 1 to 12 times, and plot metric against scale.

Example:
    python tools/resolution_ladder.py --config-file configs/detectron2/orpose_color/orpose_tiny.yaml \\
        --weights outputs/student/model_final.pth --out outputs/ladder \\
        DATASETS.TEST_SET_NAME toy DATASETS.TEST_SET_JSON annotations.json DATASETS.TEST_SET_IMGDIR images

    python tools/resolution_ladder.py --config-file configs/detectron2/adaptor/adaptor_tiny_adapt.yaml \\
        --weights demo/adaptor_tiny.safetensors --out outputs/ladder \\
        ORPLUGINS.ADAPTOR.SETS "['room=annotations.json,images']" DATASETS.TEST "('room',)"

--weights may be given several times (NAME=FILE names a line). Writes ladder.json, ladder.md and ladder.png below --out.
The metrics are those that the method has and the set's annotations allow: AP, PCK, MPJPE; AdaptOR: AP of boxes, joints,
masks.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from orplugins.device import add_device_option


def _named(entries: list[str]) -> dict[str, str]:
    """File by name of entries FILE or NAME=FILE."""
    files: dict[str, str] = {}
    for entry in entries:
        name, equals, file = entry.partition("=")
        if not equals:
            name, file = Path(entry).stem, entry
        if name in files:
            raise ValueError(f"--weights: {files[name]} and {file} are both named {name}, expected NAME=FILE")
        files[name] = file
    return files


def main(argv: list[str] | None = None) -> int:
    """Parse arguments, evaluate, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config-file", required=True)
    parser.add_argument("--weights", required=True, action="append", metavar="[NAME=]FILE", help="'' is untrained")
    parser.add_argument("--out", type=Path, required=True, help="folder")
    parser.add_argument("--factors", type=float, nargs="+", default=[1, 2, 4, 8, 10, 12])
    add_device_option(parser)
    parser.add_argument("opts", nargs=argparse.REMAINDER, help="KEY VALUE pairs of the config")
    args = parser.parse_args(argv)

    from orplugins.adaptor.detectron2 import evaluation as adaptor
    from orplugins.adaptor.detectron2.pipeline import ADAPTOR
    from orplugins.hosts.detectron2.training import method_of
    from orplugins.orpose_color.detectron2 import pipeline as orpose_color

    try:
        method = method_of((ADAPTOR, orpose_color.ORPOSE_COLOR), args.config_file, args.opts)
        sweep_resolutions = (adaptor if method is ADAPTOR else orpose_color).sweep_resolutions
        files = _named(args.weights)
        result = sweep_resolutions(args.config_file, files, args.out, args.factors, args.opts, args.device)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(result.text)
    return 0
