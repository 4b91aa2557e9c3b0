"""2D and 3D poses of people in pictures or videos, also in tiny ones.

Examples:
    python tools/infer_color.py frames/ --out outputs/poses                         # the network that ships
    python tools/infer_color.py frames/ --config configs/detectron2/orpose_color/orpose_fixed_12x.yaml \\
        --weights orpose_fixed_12x_model_final.pth --statistics h36stats.json --out outputs/poses

Pictures of any size are resized (bilinear, as published) first: to the shorter side that the config names (240 of the
network that ships, 480 of the published ones, which is 640x480 for 4:3), or to --size. Below --out: poses.json (COCO,
joints in the pixels of the input; `h36m_3d`: 17 x X, Y, Z metres from the pelvis, Human3.6M's order, y down; `time` of
a clip's frames in seconds), overlays/*.png at that size in Human3.6M's colours, and poses.mp4 at the clip's rate; of
several clips each has a video of its name. The exit code is 1 if a picture failed; the others are done.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from orplugins.device import add_device_option
from orplugins.orpose_color.pipeline import ColorSettings, infer_color


def parse_size(text: str) -> tuple[int, int]:
    """Return (width, height) of a text such as 640x480."""
    try:
        width, height = (int(side) for side in text.split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected WIDTHxHEIGHT such as 640x480") from None
    if min(width, height) < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected sides above 0")
    return width, height


def main(argv: list[str] | None = None) -> int:
    """Parse arguments, find poses, print what was written."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("inputs", nargs="+", help="pictures, folders of them, videos")
    parser.add_argument("--config", help="default: orpose_lite0, which ships")
    parser.add_argument("--weights", help="default: those that ship, where no --config is given")
    parser.add_argument("--statistics", help="h36stats.json (not needed where the weights store their own)")
    parser.add_argument("--out", type=Path, required=True, help="folder")
    parser.add_argument("--size", type=parse_size, help="what the network sees (default: as the config says)")
    parser.add_argument("--threshold", type=float, help="least score of a person (default: as the config says)")
    parser.add_argument("--fps", type=float, help="of the videos (default: the clip's; 20 for pictures)")
    add_device_option(parser)
    args = vars(parser.parse_args(argv))

    inputs, out = args.pop("inputs"), args.pop("out")
    try:
        result = infer_color(inputs, out, ColorSettings(**args))
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    written = ["poses.json", "overlays/", *(str(video.relative_to(out)) for video in result.videos)]
    print(f"{out}: {result.pictures} pictures, {result.people} people: {', '.join(written)}")
    for name, reason in result.failed.items():
        print(f"failed: {name}: {reason}", file=sys.stderr)
    return 1 if result.failed or not result.pictures else 0
