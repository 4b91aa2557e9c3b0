"""Generate motion of people with known 3D: training data for lifting, or one take seen by several systems.

`lifting` writes VideoPose3D's files (data_3d_motion.npz, data_2d_motion_*.npz, cameras.json); `room` writes the same of
the people of the synthetic operating room (clips of 25 frames a second). `take` writes one person's motion as a rig of
three cameras (COCO results), a parallel pair (OpenPose JSON) and a Kinect (text record) would record it, each on a
clock of its own, with the truth.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from orplugins.io.atomic import write_json
from orplugins.io.kinect_files import make_record, write_kinect_record
from orplugins.io.openpose import write_openpose_frame
from orplugins.skeletons import BODY_25, COCO_17, KINECT_20
from orplugins.synthetic.motion_points import (
    ACTIONS,
    SIZE,
    body_motion,
    in_skeleton,
    observe,
    parallel_cameras,
    rig_record,
    room_rig,
    write_lifting_data,
)

# Frames by which each system's recording starts later than the truth.
STARTS = {"stereo": 4, "kinect": 9, "rig": 0}


def make_take(out: Path, action: str, frames: int, fps: float, seed: int, noise_px: float) -> None:
    """Write a take."""
    rng = np.random.default_rng(seed)
    points = body_motion(rng, frames + max(STARTS.values()), fps, action)
    pair, rig = parallel_cameras(), room_rig()
    coco, body25, kinect = (in_skeleton(points, skeleton) for skeleton in (COCO_17, BODY_25, KINECT_20))
    for camera, name in zip(pair, ("left", "right"), strict=True):
        seen = observe(camera, body25, rng, noise_px, missing=0.01)
        for frame in range(frames):
            write_openpose_frame(out / f"openpose_{name}", name, frame, seen[frame + STARTS["stereo"]][None])
    left = pair[0]
    write_json(
        out / "pair.json",
        {"parallel": {"baseline_m": 0.28, "focal_px": left.fx, "cx": left.cx, "cy": left.cy, "image_size": list(SIZE)}},
        indent=1,
    )
    write_json(out / "rig.json", rig_record(rig), indent=1)
    for index, camera in enumerate(rig):
        seen = observe(camera, coco, rng, noise_px, missing=0.02)[:frames]
        records = [
            {"image_id": frame, "category_id": 1, "keypoints": pose.ravel().tolist(), "score": 1.0}
            for frame, pose in enumerate(seen)
        ]
        write_json(out / f"camera{index + 1}.json", records)
    state = np.full((frames, 20), 2)
    at = slice(STARTS["kinect"], STARTS["kinect"] + frames)
    noisy = left.world_to_camera(kinect[at]) + rng.normal(0, 0.015, (frames, 20, 3))
    record = make_record(noisy * (-1, -1, 1), state, KINECT_20, fps, "kinect_v1", "absolute", camera_axes=False)
    write_kinect_record(out / "kinect.txt", record)
    truth = left.world_to_camera(kinect[:frames]) * (-1, -1, 1)
    write_kinect_record(
        out / "truth.txt",
        make_record(
            truth, state, KINECT_20, fps, "kinect_v1", "absolute", {"made": "generated truth"}, camera_axes=False
        ),
    )


def make_room(args) -> None:
    """Write the operating room's people."""
    from tqdm import tqdm

    from orplugins.synthetic.room_motion import write_room_lifting_data

    with tqdm(total=args.clips, unit="clip") as bar:
        count = write_room_lifting_data(
            args.out, args.clips, args.frames or 100, args.seed, (args.noise[0], args.noise[-1]), progress=bar.update
        )
    print(f"{count} people in {args.clips} clips")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n  python tools/make_motion.py lifting --out data/or_motion\n"
        "  python tools/make_motion.py room --clips 60 --noise 0.5 12 --seed 31 --out data/or_lifting/train\n"
        "  python tools/make_motion.py take --action walk --out data/take",
    )
    parser.add_argument("kind", choices=("lifting", "room", "take"))
    parser.add_argument("--out", type=Path, required=True, help="folder")
    parser.add_argument("--frames", type=int, help="frames of a clip (default: 300; of a room 100)")
    parser.add_argument("--fps", type=float, help="frames a second (default: 50 for lifting, 30 for a take)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--noise",
        type=float,
        nargs="+",
        default=[1.0],
        metavar="PX",
        help="noise of the 2D joints; of a room two numbers: least and greatest",
    )
    parser.add_argument("--clips", type=int, default=60, help="of a room")
    parser.add_argument("--action", choices=ACTIONS, default="walk", help="of a take")
    parser.add_argument("--subjects", type=int, default=6, help="of lifting: the last one is for validation")
    args = parser.parse_args(argv)
    if len(args.noise) > (2 if args.kind == "room" else 1):
        parser.error(f"--noise: {len(args.noise)} numbers")
    try:
        if args.kind == "lifting":
            names = [f"S{k + 1}" for k in range(args.subjects - 1)] + ["V1"]
            write_lifting_data(args.out, names, args.frames or 300, args.fps or 50.0, args.seed, args.noise[0])
        elif args.kind == "room":
            make_room(args)
        else:
            make_take(args.out, args.action, args.frames or 300, args.fps or 30.0, args.seed, args.noise[0])
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"written to {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
