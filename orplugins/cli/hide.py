"""Hide people in recordings: copies that show no head, nobody at all, or nothing but skeletons. No guarantee.

Each input is what one camera recorded: a video, a folder of pictures (a folder below it is another one), or a folder of
16-bit depth images. The shipped networks look for people at several sizes and in mirror images, at a low threshold;
who is missed between two finds, or is seen by other calibrated cameras (--rig), is hidden as well. Copies hold pixels
only: no sound, no EXIF, no text. Below --out: hidden/ and small/ with the copies, check.csv, check.json and check.png
(frames to look at, the most doubtful first), hide.json and hide.md (report). Nothing is written anywhere else. A frame
that cannot be read or searched is written blank, and the exit code is 1.

examples:
  orplugins hide theatre.mp4 --out outputs/hidden
  orplugins hide cam1/ cam2/ cam3/ --rig rig.json --how pixelate --out outputs/hidden
  orplugins hide cam1/ --depth depth1/ --what everything --background median --out outputs/hidden
  orplugins hide depth1/ --small 10 --only-small --out outputs/to_share
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import Any

from orplugins.device import add_device_option
from orplugins.privacy.pipeline import Inputs, hide_recordings
from orplugins.privacy.settings import BACKGROUNDS, HOW, WHAT, HideSettings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add, usual, flag = parser.add_argument, HideSettings(), partial(parser.add_argument, action="store_true")
    add("recordings", nargs="+", help="videos, folders of pictures, folders of depth images")
    add("--out", type=Path, required=True, help="new or empty folder, apart from the inputs")
    add("--depth", nargs="+", default=(), metavar="DIR", help="depth images on the pictures' pixels, one a recording")
    add("--rig", metavar="FILE", help="calibration of the cameras; the recordings are synchronous")
    add("--what", choices=WHAT, default=usual.what, help="what is hidden (default: heads; everything: but skeletons)")
    add("--how", choices=HOW, default=usual.how, help="default: remove; pixels and blur can partly be undone")
    add("--background", choices=BACKGROUNDS, default=usual.background, help="in place of what is removed")
    add("--margin", type=float, default=usual.margin, help="factor of what is hidden (default: %(default)g)")
    add("--threshold", type=float, default=usual.threshold, help="least score, mean of passes (default: %(default)g)")
    flag("--stills", help="pictures of a folder are no frames of one recording")
    add("--gap", type=int, default=usual.gap, help="frames filled between two finds (default: %(default)d)")
    add("--hold", type=int, default=usual.hold, help="frames hidden before and after finds (default: %(default)d)")
    add("--small", type=float, metavar="FACTOR", help="small copies besides, their sides so many times smaller")
    add("--small-from", choices=("hidden", "original"), default="hidden", help="of what (default: hidden)")
    flag("--only-small", help="no copies of full size")
    flag("--rename", help="numbers for names: names may say who and when")
    add("--depth-unit-mm", type=float, default=1.0, metavar="MM", help="a count of depth images (L515: 0.25)")
    add("--check", type=float, default=usual.check, help="least doubt of a listed frame (default: %(default)g)")
    add_device_option(parser)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Print what was written; the exit code is 1 where a frame is blank or something went wrong."""
    args: dict[str, Any] = vars(_parser().parse_args(argv))
    inputs = Inputs(args.pop("recordings"), args.pop("depth"), args.pop("rig"))
    out, device = args.pop("out"), args.pop("device")
    from orplugins.cli._hide_detectors import shipped_detectors

    try:
        done = hide_recordings(inputs, out, HideSettings(**args), shipped_detectors(device), _say)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{out}: {done.frames} frames, {done.blank} of them blank, {done.doubtful} to look at; no guarantee: hide.md")
    return 1 if done.problems or done.blank else 0


def _say(line: str) -> None:
    print(f"problem: {line}", file=sys.stderr)
