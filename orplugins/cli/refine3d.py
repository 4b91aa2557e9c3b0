"""3D poses in metres from 2D poses of any estimator, aligned depth images and the camera's intrinsics.

Example:

    python tools/refine3d.py --poses detections.json --depth recording/depth --camera camera.json --out outputs/poses3d

--poses   a COCO result list, a COCO annotation file, or a folder of OpenPose's NAME_keypoints.json (17, 18, 25, 10 or
          15 joints a person; any number of people a frame)
--depth   a folder of 16-bit PNGs in millimetres: NAME.png, or for numbered frames the number with any leading zeros
--camera  {"fx": 535.1, "fy": 534.8, "cx": 319.5, "cy": 239.5, "size": [640, 480]}, optionally distortion (five numbers)

Writes poses3d.json, poses3d.npz, pictures (--pictures) and a GIF (--animate) to --out. Points are in the camera's axes:
x right, y down, z forward. A frame that cannot be used is reported, the others are done, and the exit code is 1.
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
    for name, why in done.failed.items():
        print(f"error: frame {name}: {why}", file=sys.stderr)
    if not done.frames:
        print("error: no frame could be used", file=sys.stderr)
        return 1
    failed = f"; {len(done.failed)} frames failed" if done.failed else ""
    print(f"{len(done.frames)} frames, {done.people} people -> {done.json}, {done.npz}{failed}")
    return 1 if done.failed else 0
