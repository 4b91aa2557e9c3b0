"""Write a network as a model file that needs neither torch nor a host: ONNX, and OpenVINO's form.

Examples:
    python tools/export.py configs/mmpose/depthpose/depthpose_small-64x48.py demo/depthpose_small-64x48.safetensors \\
        --out outputs/depth.onnx --int8
    python tools/export.py configs/detectron2/orpose_color/orpose_lite0.yaml demo/orpose_lite0.safetensors \\
        --out outputs/student.onnx --openvino
    python tools/export.py outputs/lifter/statistics.json outputs/lifter/lifter.pth --out outputs/lifter.onnx

CONFIG is mmpose's (.py), detectron2's (.yaml), or the joint statistics (.json) of a lifter that train_lifter.py has
trained. The file says of itself all that running it takes: `orplugins.deploy.load("depth.onnx")` (docs/deploy.md).
--int8 and --half print what they cost on a generated set whose truth is known.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add, flag = parser.add_argument, partial(parser.add_argument, action="store_true")
    add("config", metavar="CONFIG")
    add("weights", metavar="WEIGHTS")
    add("--out", type=Path, required=True, metavar="FILE.onnx", help="the file to write")
    flag("--half", help="weights and computation in float16")
    flag("--int8", help="8 bits, calibrated on generated frames")
    flag("--openvino", help="also write OpenVINO's form beside it, .xml and .bin")
    add("--opset", type=int, default=18, help="of ONNX (default: 18)")
    add("--licence", default="unknown", help="of the weights, kept in the file")
    add("--calibration", type=int, default=60, metavar="N", help="generated frames for --int8 (default: 60)")
    flag("--no-score", help="do not measure what --half or --int8 costs")
    flag("--stream", help="VideoPose3D, causal: a network that takes a frame at a time and keeps a state")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Parse arguments, export, print what was written."""
    args = vars(_parser().parse_args(argv))
    if not args["stream"]:
        del args["stream"]  # an option of one method
    score = not args.pop("no_score")
    try:
        from orplugins.export.job import export  # needs torch

        done = export(**args, score=score, say=partial(print, flush=True))
    except (ValueError, OSError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for path in filter(None, (done.model, done.openvino)):
        print(f"{path}  {path.stat().st_size / 1e6:.2f} MB")
    return 0
