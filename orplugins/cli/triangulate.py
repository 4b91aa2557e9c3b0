"""3D people from the 2D detections of several calibrated cameras: association, triangulation, body prior, evaluation.

With --mvor, MVOR's annotation file gives the cameras, its frames and the truth; detections are result files of any 2D
pose estimator on MVOR's images (COCO-17 or CAMMA-10). With --rig, each --view is one camera's detections, a COCO result
list (image_id = frame number) or an OpenPose folder, and people are followed over time (--track, --smooth; a TRC file
for each). A parallel pair (left view first) with two OpenPose folders gives one subject's clip with a reason for every
refused joint, as npz and as a Kinect record.

Results are checked before they are written: reprojection, sizes of people, clocks of the cameras. What cannot be is an
error that names its likely cause, and nothing is written (--keep-implausible).

examples:
  python tools/triangulate.py --mvor camma_mvor_2018.json --dt openpose_kps.json --out runs/mvor3d
  python tools/triangulate.py --mvor camma_mvor_2018.json --dt rtpose_kps.json --method map --one-view --out runs/mvor3d
  python tools/triangulate.py --mvor camma_mvor_2018.json --mv3dreg mv3dreg.mat --out runs/mvor3d
  python tools/triangulate.py --rig rig.json --view camera1.json --view camera2.json --view camera3.json --out runs/take
  python tools/triangulate.py --rig Calib.qca.txt --view cam01_json --view cam02_json --fps 60 --track --out runs/people
  python tools/triangulate.py --rig pair.json --view openpose_left --view openpose_right --fps 30 --out runs/stereo
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from orplugins.multiview.pipeline import MvorSettings, RigSettings, evaluate_mvor, reconstruct_views
from orplugins.multiview.report import METHODS

RIG_OPTIONS = ("out", "pictures", "keep_implausible", "fps", "mirrored", "auto_swap", "sync", "track", "smooth",
               "c3d")  # fmt: skip
TRACK = "a rig: fill in what is missing of a person for up to S seconds (default: 0.5), marked as filled"
DEPTH = "use the depth pictures (color/ replaced by depth/), with --one-view also to place them"
SMOOTH = "a rig: low-pass filter of each joint over time (default: 6 Hz)"
MVOR_OPTIONS = (*RIG_OPTIONS[:3], "method", "one_view", "depth", "depth_unit_mm", "undistort", "mv3dreg")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--mvor", metavar="JSON", help="MVOR's annotation file: cameras, frames and truth")
    source.add_argument("--rig", metavar="FILE", help="calibration (JSON, YAML or a folder of OpenPose's XML)")
    add = parser.add_argument
    add("--dt", action="append", default=[], metavar="JSON", help="2D detections on MVOR (repeatable)")
    add("--view", action="append", default=[], metavar="PATH", help="a camera's detections, in rig order")
    add("--out", type=Path, required=True, help="folder for people, scores and pictures")
    add("--method", choices=METHODS, default="geometry", help="; ".join(f"{k}: {v}" for k, v in METHODS.items()))
    add("--one-view", action="store_true", help="also who is in one view only (--method map, --depth)")
    add("--depth", metavar="DIR", help=DEPTH)
    add("--depth-unit-mm", type=float, default=1.0, metavar="MM", help="a count of the depth pictures (L515: 0.25)")
    add("--undistort", action="store_true", help="use MVOR's distortion numbers (they fit worse)")
    add("--mv3dreg", metavar="MAT", help="the published 3D results: compare on their samples")
    add("--fps", type=float, default=30.0, help="frames a second of the --view inputs")
    add("--track", type=float, nargs="?", const=0.5, default=0.0, metavar="S", help=TRACK)
    add("--smooth", type=float, nargs="?", const=6.0, default=0.0, metavar="HZ", help=SMOOTH)
    add("--c3d", action="store_true", help="a rig: a C3D file for each person beside the TRC file")
    add("--mirrored", action="store_true", help="parallel pair: the pictures are mirror images")
    add("--auto-swap", action="store_true", help="parallel pair: exchange the cameras if need be")
    add("--sync", action="store_true", help="a rig: take out time offsets and other frame rates")
    add("--no-sync", action="store_true", help="do not look for time offsets")
    add("--keep-implausible", action="store_true", help="write what cannot be believed, too (the exit code stays 1)")
    add("--pictures", type=int, default=3, help="3D pictures to draw")
    return parser


def _settings(args: argparse.Namespace) -> MvorSettings | RigSettings:
    if args.mvor:
        return MvorSettings(args.mvor, tuple(args.dt), **{name: getattr(args, name) for name in MVOR_OPTIONS})
    rest = {name: getattr(args, name) for name in RIG_OPTIONS}
    return RigSettings(args.rig, tuple(args.view), synchronise=not args.no_sync, **rest)


def main(argv: list[str] | None = None) -> int:
    """Print scores or what was found; the exit code is 1 where an input could not be read in part, or is impossible."""
    parser = _parser()
    args = parser.parse_args(argv)
    try:
        settings = _settings(args)
    except ValueError as error:
        parser.error(str(error))
    try:
        found = evaluate_mvor(settings) if isinstance(settings, MvorSettings) else reconstruct_views(settings)
    except (ValueError, OSError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for warning in found.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    print(f"{found}\nwritten to {args.out}")
    return 1 if found.failed else 0
