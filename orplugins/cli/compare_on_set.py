"""People of a generated motion set as several systems record them, compared with the truth on one clock.

SET is a set of tools/make_or_dataset.py --motion. The 2D joints are the set's labels with noise, or the detections of
any estimator on the set's pictures (--dt, a COCO result list). From them: a pair of parallel cameras (simulated, labels
only), two and three of the set's cameras, one camera with its depth pictures, one camera and a lifting network. Written
to --out: summary.md, summary.json, the recordings (CLIP_PERSON/SYSTEM.npz), clock.png (the best-seen person by all
systems) and, on demand, the full report of the best-seen people.

examples:
  python tools/make_or_dataset.py --out data/or_motion --frames 300 --seed 34 --motion 100 --people 4-6 --depth-only \\
      --size 160x120
  python tools/compare_on_set.py data/or_motion --weights demo/videopose3d_27.safetensors --out runs/labels
  python tools/compare_on_set.py data/or_motion --dt detections.keypoints.json --out runs/detections
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from orplugins.motion.pipeline import SetSettings, compare_captured
from orplugins.motion.report import rows_table
from orplugins.multiview.clip_set import FPS
from orplugins.multiview.pipeline import CaptureSettings, capture_set
from orplugins.skeletons import CORE_12


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("set", type=Path, metavar="SET", help="folder of a motion set with fixed cameras")
    add("--out", type=Path, required=True, help="folder")
    add("--dt", metavar="JSON", help="2D detections on the set's pictures (default: labels with noise)")
    add("--noise", type=float, default=1.0, metavar="PX", help="of the labels, pixels of 640 x 480")
    add("--weights", help="lifting weights (a COCO-17 network)")
    add("--no-depth", action="store_true", help="do not place one camera's people by depth")
    add("--baseline", type=float, default=0.28, metavar="M", help="of the parallel pair")
    add("--max-lag", type=int, default=0, help="look for a time offset up to this many frames")
    add("--report", type=int, default=0, metavar="N", help="people of the full report (default: none)")
    add("--frame", type=int, default=25, help="frame at which skeletons are drawn")
    add("--joint", choices=CORE_12.joints, default="right_wrist", help="joint drawn over time")
    add("--seed", type=int, default=0, help="of the noise")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Print the table of systems; the exit code is 1 where a depth picture could not be read."""
    args, lift = _parse(argv), None
    failed: list[str] = []
    capture = CaptureSettings(args.set, args.out, args.dt, args.noise, not args.no_depth, args.baseline, args.seed)
    source = f"Set `{args.set}`, 2D: " + (f"`{args.dt}`." if args.dt else f"labels, noise {args.noise:g} px of 640.")
    record = {"set": str(args.set), "detections": args.dt}
    settings = SetSettings(args.out, source, record, args.max_lag, args.report, args.frame, args.joint)
    try:
        if args.weights:
            from orplugins.videopose3d.pipeline import room_lifter

            lift = room_lifter(args.weights)
        done = compare_captured(capture_set(capture, lift, failed), FPS, settings)
    except (ValueError, OSError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for note in [*(f"error: {why}" for why in failed), *(f"note: {note}" for note in done.notes)]:
        print(note, file=sys.stderr)
    print(rows_table(done.rows))
    print(f"written to {args.out}")
    return 1 if failed else 0
