"""3D poses in metres from 2D poses of any estimator, aligned depth images and the camera's intrinsics.

Example:

    python tools/refine3d.py --poses detections.json --depth recording/depth --camera camera.json --out outputs/poses3d

--poses   a COCO result list (--annotations names the images of its ids), a COCO annotation file, a folder of OpenPose's
          NAME_keypoints.json, mmpose's predictions, or poses.json of our tools; any number of people a frame
--depth   a folder of 16-bit PNGs, named as the images of the poses, or by the same numbers or time stamps
--camera  {"fx": 535.1, "fy": 534.8, "cx": 319.5, "cy": 239.5, "size": [640, 480]}, or another calibration file of one
          camera; "depth_scale" (metres a count) or --depth-unit-mm where a count is not 1 mm

Writes poses3d.json, poses3d.npz, pictures (--pictures) and a GIF (--animate) to --out. Points are in the camera's axes:
x right, y down, z forward. A frame that cannot be used is reported, the others are done, and the exit code is 1. Poses,
depth and camera that do not fit together are refused: nothing is written then.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from orplugins.device import add_device_option
from orplugins.refinet.pipeline import RefineSettings, refine_recording


def main(argv: list[str] | None = None) -> int:
    """Refine a recording; the exit code is 1 where a frame could not be used."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--poses", required=True, type=Path)
    parser.add_argument("--depth", required=True, type=Path)
    parser.add_argument("--camera", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path, help="folder")
    parser.add_argument("--annotations", type=Path, metavar="JSON", help="COCO file that names images of result ids")
    parser.add_argument("--keypoint-scale", type=int, choices=(0, 3, 4), help="OpenPose's option (default: detected)")
    size = "of the images that poses were found in, where not the depth images'"
    parser.add_argument("--pose-size", type=int, nargs=2, metavar=("W", "H"), help=size)
    parser.add_argument("--depth-unit-mm", type=float, metavar="MM", help="millimetres a count of the depth images")
    scale = "the camera's file is of another resolution of the same images"
    parser.add_argument("--scale-camera", action="store_true", help=scale)
    parser.add_argument("--config", type=Path, help="of the chain")
    parser.add_argument("--weights", type=Path, help="of the chain (refinet_files.py merge-weights)")
    parser.add_argument("--plain", action="store_true", help="only lift, without networks")
    parser.add_argument("--min-score", type=float, default=0.0, help="2D joints below it are missing")
    add_device_option(parser)
    parser.add_argument("--pictures", type=int, default=8, help="frames to draw (default: 8)")
    parser.add_argument("--animate", action="store_true", help="write poses3d.gif of all frames")
    args = parser.parse_args(argv)
    try:
        done = refine_recording(RefineSettings(**vars(args)))
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for note in done.notes:
        print(f"note: {note}", file=sys.stderr)
    for name, why in done.failed.items():
        print(f"error: frame {name}: {why}", file=sys.stderr)
    if not done.frames:
        print("error: no frame could be used", file=sys.stderr)
        return 1
    failed = f"; {len(done.failed)} frames failed" if done.failed else ""
    print(f"{len(done.frames)} frames, {done.people} people -> {done.json}, {done.npz}{failed}")
    return 1 if done.failed else 0
