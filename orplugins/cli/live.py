"""People of cameras that run, or of recordings played like them: in images, in 3D, over time, with a viewer.

A source is a video or a folder of images (colour, 16-bit depth PNG, or folders color/ and depth/), realsense:[SERIAL or
FILE.bag], k4a:[NUMBER or FILE.mkv], or rosbag:PATH[#/topic[,/topic]]; NAME=SOURCE names its camera. Records go to
standard output, a line of JSON each; what happens to cameras goes to standard error, and the latency of every stage in
the end. Networks are files that `orplugins export` wrote.

examples:
  python tools/live.py --source data/or_motion/day1/cam1 --fps 25 --model outputs/depth.onnx
  python tools/live.py --source cam1=left.mp4 --source cam2=right.mp4 --model outputs/color.onnx --rig rig.json --serve
  python tools/live.py --source realsense: --model outputs/depth.onnx --serve --quiet --out runs/room1
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add, flag = parser.add_argument, partial(parser.add_argument, action="store_true")
    add(
        "--source", action="append", required=True, dest="sources", metavar="[NAME=]SOURCE", help="a camera; repeatable"
    )
    add("--model", required=True, metavar="FILE", help="a network: .onnx, or .xml with --engine openvino")
    add("--rig", metavar="FILE", help="calibration of the cameras, by name or in order: people in 3D")
    add("--out", type=Path, metavar="DIR", help="records, COCO, npz and TRC files")
    add("--serve", nargs="?", const="", metavar="[HOST:]PORT", help="viewer and WebSocket (127.0.0.1:8765)")
    add("--udp", metavar="[HOST:]PORT", help="a datagram a record")
    flag("--quiet", help="no records on standard output")
    add("--fps", type=float, help="of recordings that do not say, and what devices are asked for")
    add("--speed", type=float, default=1.0, metavar="X", help="of recordings (default: 1)")
    flag("--every-frame", help="recordings: drop nothing, wait for nothing")
    add("--depth-unit-mm", type=float, default=1.0, metavar="MM", help="a count of folders of depth images")
    add("--tolerance-ms", type=float, default=20.0, metavar="MS", help="between frames of one moment (default: 20)")
    add("--stall", type=float, default=1.0, metavar="S", help="a silent camera is not waited for after (default: 1)")
    add("--seconds", type=float, default=0.0, metavar="S", help="end after so long (default: not by itself)")
    add("--smooth", type=float, nargs="?", const=1.0, default=0.0, metavar="HZ", help="one-euro filter (1 Hz)")
    add("--workers", type=int, default=1, metavar="N", help="images in the network at once (default: 1)")
    add("--threads", type=int, default=1, metavar="N", help="of each (default: 1)")
    add("--engine", choices=("onnxruntime", "openvino"), default="onnxruntime")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run; the exit code is 1 where frames were broken, a camera stayed away or an output failed."""
    args = vars(_parser().parse_args(argv))
    from orplugins.live.job import LiveSettings, live, summary
    from orplugins.multiview.online import LiveRoom

    try:
        report = live(LiveSettings(sources=tuple(args.pop("sources")), **args), LiveRoom)
    except (ValueError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(summary(report), file=sys.stderr)
    return 1 if report.failures else 0
