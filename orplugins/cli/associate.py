"""Who is who across cameras: people with poses or boxes only, with a calibration or without one.

The annotation file (MVOR's form) gives images, moments and cameras, and the people unless --dt gives those of a
detector. Written are identities and a score for every pair, the input of `tools/evaluate.py mvor-association`.

examples:
  python tools/associate.py --mvor camma_mvor_2018_v2.json --out runs/people.json
  python tools/associate.py --mvor camma_mvor_2018_v2.json --poses-only --without-calibration --out runs/people.json
  python tools/associate.py --mvor camma_mvor_2018_v2.json --boxes-only --out runs/boxes.json
  python tools/associate.py --mvor camma_mvor_2018_v2.json --dt openpose_kps.json --out runs/openpose_people.json
"""

from __future__ import annotations

import argparse
import sys


def main(argv: list[str] | None = None) -> int:
    """Associate, write, say what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--mvor", required=True, metavar="JSON", help="annotation file: moments, cameras, people")
    add("--dt", metavar="JSON", help="people of a detector instead: a COCO result list of poses or boxes")
    add("--poses-only", action="store_true", help="leave out people who have a box only")
    add("--boxes-only", action="store_true", help="leave out all poses: who is who from boxes alone")
    add("--without-calibration", action="store_true", help="find the cameras from the poses")
    add("--out", required=True, metavar="JSON", help="file of identities")
    args = parser.parse_args(argv)

    from orplugins.multiview.associate import AssociateSettings, associate_views

    try:
        calibrated = not args.without_calibration
        settings = AssociateSettings(args.mvor, args.out, args.dt, args.poses_only, calibrated, args.boxes_only)
        found = associate_views(settings)
    except (ValueError, OSError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{found}\nwritten to {args.out}")
    return 0
