"""Lift one person's 2D joints to 3D: from a video, a folder of frames, or 2D joints that another program found.

INPUT is a video or a folder of pictures (then --pose2d names a mmpose 2D model; a depth model takes 16-bit pictures), a
Detectron archive (VIDEO.npz), VideoPose3D's data_2d_*.npz, our own npz of a clip, or 2D joints as refine3d.py reads
them: a folder of OpenPose JSON, a COCO result list (image_id = frame number or time stamp), mmpose's predictions,
poses.json. Written to --out: pose.npy (F, 17, 3: camera axes, metres, about the pelvis), motion.npz, motion.json,
record.txt (Kinect text record) and, with --render, an animation. A symmetric network sees the future, so 2D is found
for all frames before any is lifted.

examples:
  python tools/lift_video.py exercise.mp4.npz --weights pretrained_h36m_detectron_coco.bin --out runs/exercise
  python tools/lift_video.py openpose_json/ --size 640 480 --fps 30 --weights best.pth --render lifted.gif --out runs/a
  python tools/lift_video.py exercise.mp4 --pose2d rtmpose-m --weights best.pth --render lifted.mp4 --out runs/b
  python tools/lift_video.py data/or_motion/day1/cam1/depth --fps 25 --min-score 0.1 --render lifted.gif --out runs/c \\
      --pose2d configs/mmpose/depthpose/depthpose_small-64x48.py \\
      --pose2d-weights demo/depthpose_small-64x48.safetensors --weights demo/videopose3d_27.safetensors
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields
from pathlib import Path

from orplugins.device import add_device_option
from orplugins.videopose3d.inputs import InputOptions
from orplugins.videopose3d.pipeline import LiftSettings, lift_video, render_lifted
from orplugins.videopose3d.sequence import TRAINING_HZ


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", type=Path, metavar="INPUT")
    parser.add_argument("--weights", required=True, help="VideoPose3D's .bin or a trained lifter's .pth")
    parser.add_argument("--out", type=Path, required=True, help="folder")
    parser.add_argument("--causal", action="store_true", help="the weights are of a causal network")
    parser.add_argument("--no-flip", action="store_true", help="do not average with the mirrored clip")
    parser.add_argument("--zero-root", action="store_true", help="move joint 0 of every pose to exactly (0, 0, 0)")
    parser.add_argument("--resample", action="store_true", help=f"lift at {TRAINING_HZ:g} Hz, the rate of training")
    parser.add_argument("--fps", type=float, help="frames a second where the input does not say (default 30)")
    parser.add_argument("--size", type=int, nargs=2, metavar=("WIDTH", "HEIGHT"), help="of the pictures, where needed")
    scale = "OpenPose's option (default: detected)"
    parser.add_argument("--keypoint-scale", type=int, choices=(0, 3, 4), help=scale)
    parser.add_argument("--annotations", metavar="JSON", help="COCO file that names the images of a result list's ids")
    name = "which video, or subject/action/camera, of a data_2d file; which folder of images of a COCO file"
    parser.add_argument("--video-name", help=name)
    parser.add_argument("--pose2d", help="mmpose 2D model (name or config) for videos and pictures; COCO-17")
    parser.add_argument("--pose2d-weights", help="its weights")
    parser.add_argument("--det-model", help="person detector of mmpose's inferencer, or 'whole_image'")
    parser.add_argument("--min-score", type=float, default=0.3, help="least 2D score of a joint")
    parser.add_argument("--depth-unit-mm", type=float, default=1.0, help="millimetres a count of depth pictures")
    add_device_option(parser)
    parser.add_argument("--render", metavar="NAME", help="animation in --out: .gif, .mp4, .avi")
    parser.add_argument("--background", type=Path, metavar="VIDEO", help="video or folder of frames to draw on")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="draw every N-th frame")
    parser.add_argument("--limit", type=int, metavar="N", help="draw at most N frames")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Lift and, on demand, draw; the exit code is 1 where a frame could not be read."""
    args = _parse(argv)
    args.size = tuple(args.size) if args.size else None
    options = InputOptions(**{field.name: getattr(args, field.name) for field in fields(InputOptions)})
    try:
        flags = dict(causal=args.causal, flip=not args.no_flip, zero_root=args.zero_root, resample=args.resample)
        lifted = lift_video(LiftSettings(args.input, args.weights, args.out, options, **flags, device=args.device))
        for warning in (*lifted.warnings, *lifted.failed):
            print(f"warning: {warning}", file=sys.stderr)
        missing = int((~lifted.clip.detected).sum())
        print(
            f"{lifted.clip.video}: {len(lifted.points)} frames at {lifted.fps:g} a second, {missing} without a "
            f"detection (interpolated, marked as inferred); written to {args.out}"
        )
        if args.render:
            background = args.input if args.background is None and args.pose2d else args.background
            count = render_lifted(lifted, args.out / args.render, background, args.every, args.limit)
            print(f"{args.out / args.render}: {count} frames")
    except (ValueError, OSError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 1 if lifted.failed else 0
