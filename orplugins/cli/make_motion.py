"""Generate motion of people with known 3D: training data for lifting, or one take seen by several systems.

`lifting` writes VideoPose3D's files (data_3d_motion.npz, data_2d_motion_*.npz, cameras.json); `room` writes the same of
the people of the synthetic operating room (clips of 25 frames a second). `take` writes one person's motion as a rig of
three cameras (COCO results), a parallel pair (OpenPose JSON) and a Kinect (text record) would record it, each on a
clock of its own, with the truth.

examples:
  python tools/make_motion.py lifting --out data/or_motion
  python tools/make_motion.py room --clips 60 --noise 0.5 12 --seed 31 --out data/or_lifting/train
  python tools/make_motion.py take --action walk --out data/take
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from orplugins.synthetic.motion_points import ACTIONS
from orplugins.synthetic.pipeline import TakeSettings, make_lifting_data, make_room_lifting_data, make_take


def _make(args: argparse.Namespace) -> None:
    low, high = args.noise[0], args.noise[-1]
    if args.kind == "lifting":
        make_lifting_data(args.out, args.subjects, args.frames or 300, args.fps or 50.0, args.seed, low)
    elif args.kind == "room":
        count = make_room_lifting_data(args.out, args.clips, args.frames or 100, args.seed, (low, high))
        print(f"{count} people in {args.clips} clips")
    else:
        make_take(TakeSettings(args.out, args.action, args.frames or 300, args.fps or 30.0, args.seed, low))


def main(argv: list[str] | None = None) -> int:
    """Write the files and say where."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("lifting", "room", "take"))
    parser.add_argument("--out", type=Path, required=True, help="folder")
    parser.add_argument("--frames", type=int, help="frames of a clip (default: 300; of a room 100)")
    parser.add_argument("--fps", type=float, help="frames a second (default: 50 for lifting, 30 for a take)")
    parser.add_argument("--seed", type=int, default=0)
    noise = "noise of the 2D joints; of a room two numbers: least and greatest"
    parser.add_argument("--noise", type=float, nargs="+", default=[1.0], metavar="PX", help=noise)
    parser.add_argument("--clips", type=int, default=60, help="of a room")
    parser.add_argument("--action", choices=ACTIONS, default="walk", help="of a take")
    parser.add_argument("--subjects", type=int, default=6, help="of lifting: the last one is for validation")
    args = parser.parse_args(argv)
    if len(args.noise) > (2 if args.kind == "room" else 1):
        parser.error(f"--noise: {len(args.noise)} numbers")
    try:
        _make(args)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"written to {args.out}")
    return 0
