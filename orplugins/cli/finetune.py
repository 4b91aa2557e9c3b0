"""Fine-tune a shipped network on your own labelled pictures, a COCO file of a few dozen.

Examples:
    python tools/finetune.py depthpose labels.json --images recording/depth --out outputs/mine
    python tools/finetune.py orpose-color labels.json --images frames --out outputs/mine
    python tools/finetune.py partial-body labels.json --images frames --out outputs/mine
    python tools/finetune.py partial-body-detector labels.json --images frames --out outputs/mine

depthpose              16-bit depth images; COCO keypoints, or MVOR's file
orpose-color           colour pictures; COCO keypoints, or boxes only
partial-body           colour pictures; COCO keypoints (v: 1 occluded, 2 visible)
partial-body-detector  colour pictures; COCO boxes of the categories patient and user

Joints are found by the names in the file's category; joints without a label are left as they are. A fifth of the
pictures is held out and scored before and after; weights.safetensors and card.md are written below --out, and the
command that uses them is printed. The same command goes on after an interruption. RefiNet and VideoPose3D learn from 3D
poses, not from such files: docs/finetune.md.

The exit code is 0 if the new weights score better, 3 if they are no better than before (none are written then), and 1
after an error.
"""

from __future__ import annotations

import argparse
import importlib
import shlex
import sys
from functools import partial
from pathlib import Path

from orplugins.device import add_device_option
from orplugins.finetune import job, report
from orplugins.finetune.settings import FinetuneSettings

METHODS = {
    "depthpose": ("orplugins.depthpose.mmpose.finetune", "FinetuneDepth"),
    "orpose-color": ("orplugins.orpose_color.detectron2.finetune", "FinetuneColor"),
    "partial-body": ("orplugins.partial_body.mmpose.finetune", "FinetunePartial"),
    "partial-body-detector": ("orplugins.partial_body.detectron2.finetune", "FinetuneDetector"),
}
NO_BETTER = 3


def _share_or_file(text: str) -> float | Path:
    try:
        return float(text)
    except ValueError:
        return Path(text)


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if width.isdecimal() and height.isdecimal() and int(width) * int(height):
        return int(width), int(height)
    raise argparse.ArgumentTypeError(f"found {text!r}, expected WIDTHxHEIGHT such as 640x480")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("method", choices=METHODS, help="which network")
    add("annotations", type=Path, metavar="LABELS.json", help="COCO file of the labelled pictures")
    add("--images", type=Path, required=True, metavar="DIR", help="folder that its file names are relative to")
    add("--out", type=Path, required=True, metavar="DIR", help="folder of the results")
    add("--config", help="config of another network; needs --weights (default: the shipped one's)")
    add("--weights", help="weights to start from (default: the shipped ones)")
    add("--val", dest="held_out", type=_share_or_file, default=0.2, help="share held out, or a file (default: 0.2)")
    add("--test", type=Path, metavar="FILE", help="a further file, scored before and after, which decides nothing")
    add("--iterations", type=int, help="training steps, at least (default: 300)")
    add("--lr", type=float, help="learning rate (default: a tenth of the config's, or less)")
    add("--batch", type=int, help="pictures, or people, a step (default: the config's)")
    add("--seed", type=int, default=0)
    add("--size", type=_size, help="orpose-color: WIDTHxHEIGHT that the network sees (default: as infer_color.py)")
    add("--depth-unit-mm", dest="unit_mm", type=float, default=1.0, help="depthpose: millimetres a count (default: 1)")
    add_device_option(parser)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Parse arguments, fine-tune, print table, verdict and the next command."""
    args = vars(_parser().parse_args(argv))
    module, name = METHODS[args.pop("method")]
    say = partial(print, file=sys.stdout, flush=True)
    try:
        settings = FinetuneSettings(**args)
        kind = getattr(importlib.import_module(module), name)
        command = shlex.join(["orplugins", "finetune", *(sys.argv[1:] if argv is None else argv)])
        outcome = job.finetune(kind, settings, command, say)
    except (ValueError, OSError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    say(report.ending(outcome))
    return 0 if outcome.better else NO_BETTER
