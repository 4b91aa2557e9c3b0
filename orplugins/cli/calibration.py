"""Show a calibration file, or write it in another form: OpenCV, OpenPose, Anipose and Pose2Sim, Kalibr, our own.

Read are our JSON or YAML, OpenCV's FileStorage (YAML, XML), OpenPose's folder of XML, Anipose's and Pose2Sim's TOML,
Qualisys' qca.txt, Kalibr's camera chain and RealSense's intrinsics. An impossible calibration is refused with the
likely cause: --unit, --camera-to-world and --image-size say what the file does not.

examples:
  orplugins calibration show Calib.qca.txt
  orplugins calibration convert calibration.toml --unit mm --out rig.json
  orplugins calibration convert rig.json --image-size 640 480 --out small.json
  orplugins calibration convert rig.json --to openpose --out cameras/
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from orplugins.io.calibration.convert import convert_calibration, describe_calibration
from orplugins.io.calibration.write import FORMS


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    show = commands.add_parser("show", help="cameras, fields of view, baselines, and what is impossible about them")
    convert = commands.add_parser("convert", help="write it in another form")
    for command in (show, convert):
        command.add_argument("path", type=Path, metavar="IN", help="calibration file, or folder of one file a camera")
        command.add_argument("--image-size", type=int, nargs=2, metavar=("W", "H"), help="scale to images of this size")
        command.add_argument("--unit", choices=("m", "cm", "mm"), help="of the translations")
        command.add_argument("--camera-to-world", action="store_true", help="poses take camera to world")
    convert.add_argument("--out", type=Path, required=True, help="file; a folder where the form has one file a camera")
    convert.add_argument("--to", choices=FORMS, default="json", help="form (default: json, our own)")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Print what is there, or what was written; the exit code is 1 where the calibration is impossible."""
    args = _parser().parse_args(argv)
    direction = "camera_to_world" if args.camera_to_world else None
    said = tuple(args.image_size) if args.image_size else None, args.unit, direction
    try:
        if args.command == "show":
            text, findings = describe_calibration(args.path, *said)
            print(text)
        else:
            findings = []
            for note in convert_calibration(args.path, args.out, args.to, *said):
                print(f"warning: {note}", file=sys.stderr)
            print(f"written to {args.out}")
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for finding in findings:
        print(f"error: {finding}", file=sys.stderr)
    return 1 if findings else 0
