"""Calibrate a rig of cameras from the people in their images: no checkerboard, nobody says who is who.

`calibrate`: read are 2D poses in any form of this package, a file or folder a camera (--view, again and again), or one
file with every camera's images in a folder of their own. Found are the cameras' poses, the metre (from usual bodies,
--height, or a known --distance of two cameras), the vertical and the floor, and the offsets of the cameras' clocks,
each with an uncertainty. What is not to be trusted is said in words, is not written (--keep-implausible), and ends with
exit code 1.

`triangulate`: a session as Pose2Sim lays it out (calibration/, pose/cam01_json ..., Config.toml) gives its people in
3D, a TRC file for each.

examples:
  orplugins rig calibrate --view cam1.json --view cam2.json --view cam3.json --intrinsics rig_k.json --out rig.json
  orplugins rig calibrate --view openpose_cam1/ --view openpose_cam2/ --image-size 1280 720 --out rig.toml --to toml
  orplugins rig calibrate --view cam1.json --view cam2.json --view cam3.json --update rig.json --out rig_now.json
  orplugins rig calibrate --view openpose_kps.json --annotations camma_mvor_2018.json \
      --intrinsics camma_mvor_2018.json --out rig.json --report runs/rig
  orplugins rig triangulate Demo_SinglePerson --c3d
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from orplugins.io.calibration.write import FORMS
from orplugins.multiview.session import triangulate_session
from orplugins.rig.pipeline import CalibrateSettings, calibrate_rig


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("calibrate", help="cameras' poses from 2D people")
    add = command.add_argument
    files: dict[str, Any] = {"action": "append", "metavar": "PATH"}
    add("--view", dest="views", required=True, **files, help="2D people of a camera; one file may hold all")
    add("--out", type=Path, required=True, help="calibration to write; a folder where the form has a file a camera")
    add("--to", dest="form", choices=FORMS, default="json", help="form of the calibration (default: json, our own)")
    add("--report", type=Path, metavar="DIR", help="folder for numbers and pictures")
    add("--intrinsics", default=[], **files, help="calibration of all cameras, or one a camera")
    add("--image-size", dest="size", type=int, nargs=2, metavar=("W", "H"), help="of the images, where no file says it")
    add("--annotations", metavar="JSON", help="COCO file that names the images of a result list")
    add("--camera-folders", dest="folders", nargs="+", default=(), help="one file: folders that tell cameras apart")
    add("--height", dest="stature_m", type=float, metavar="M", help="people's mean height (default: usual people)")
    add("--distance", nargs=3, metavar=("CAM", "CAM", "M"), help="known distance of two cameras, by name")
    add("--depth", default=[], **files, help="folder of depth images for the metre: one, or one a camera")
    add("--depth-unit-mm", type=float, default=1.0, metavar="MM", help="a count of the depth images (L515: 0.25)")
    add("--synchronous", action="store_true", help="the clocks agree: do not look for offsets")
    add("--max-lag", dest="most_lag", type=int, default=60, help="largest offset looked for, frames (default: 60)")
    add("--update", metavar="RIG", help="calibration of which a camera moved: find which, keep the others")
    add("--moved", action="append", default=[], metavar="NAME", help="with --update: this camera moved")
    add("--keep-implausible", dest="keep", action="store_true", help="write what is not to be trusted (exit code 1)")
    add("--seed", type=int, default=0, help="of the random samples")
    add = commands.add_parser("triangulate", help="people of a session folder in 3D").add_argument
    add("folder", metavar="SESSION", help="folder with a calibration and a folder of OpenPose's JSON a camera")
    add("--out", type=Path, metavar="DIR", help="default: SESSION/pose-3d")
    add("--rig", metavar="FILE", help="the calibration, where it is not in the session")
    add("--fps", type=float, help="frames a second (default: Config.toml's)")
    add("--c3d", action="store_true", help="C3D files, too")
    add("--pictures", type=int, default=0, help="frames to draw")
    add("--keep-implausible", action="store_true", help="write what cannot be believed, too (exit code 1)")
    return parser


def _settings(given: dict[str, Any]) -> CalibrateSettings:
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}
    return CalibrateSettings(**values)


def main(argv: list[str] | None = None) -> int:
    """Print what was found; the exit code is 1 where it is not to be trusted, or where an input could not be read."""
    given = vars(_parser().parse_args(argv))
    try:
        if given.pop("command") == "triangulate":
            people, out = triangulate_session(**given)
            warnings, text, failed = people.warnings, f"{people}\nwritten to {out}", bool(people.failed)
        else:
            found = calibrate_rig(_settings(given), lambda line: print(f"... {line}", file=sys.stderr))
            warnings, text, failed = [*found.warnings, *found.failed], found.text, bool(found.failed)
            failed = failed or not found.trusted
    except (ValueError, OSError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    sys.stderr.writelines(f"warning: {warning}\n" for warning in warnings)
    print(text)
    return int(failed)
