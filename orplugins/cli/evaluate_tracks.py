"""How well people of a generated motion set keep their identities, in 3D or in images: IDF1, MOTA, HOTA, switches.

examples:
  python tools/make_or_dataset.py --out data/or_motion --frames 300 --seed 34 --motion 100 --people 4-6 --depth-only
  python tools/evaluate_tracks.py data/or_motion --noise 2
  python tools/evaluate_tracks.py data/or_motion --noise 2 --tracker image --miss 0.2
  python tools/evaluate_tracks.py data/or_motion --dt runs/detections.keypoints.json --out runs/tracks.json
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from orplugins.multiview.track_set import TRACKERS, TrackSetSettings, track_set


def main(argv: list[str] | None = None) -> int:
    """Follow, count, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path, metavar="SET", help="folder of the set")
    parser.add_argument("--dt", metavar="JSON", dest="detections", help="2D detections on the set's images")
    parser.add_argument("--noise", type=float, default=1.0, metavar="PX", help="of the labels, without --dt")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="use every Nth frame: a lower frame rate")
    parser.add_argument("--fill", type=float, default=0.0, metavar="S", help="fill in what is missing for so long")
    parser.add_argument("--smooth", type=float, default=0.0, metavar="HZ", help="low-pass filter over time")
    trackers = "; ".join(f"{name}: {what}" for name, what in TRACKERS.items())
    parser.add_argument("--tracker", choices=TRACKERS, default="whole", help=f"(default: whole) {trackers}")
    parser.add_argument("--miss", type=float, default=0.0, metavar="SHARE", help="of a person's detections, in gaps")
    parser.add_argument("--seed", type=int, default=0, help="of the noise")
    parser.add_argument("--out", type=Path, metavar="JSON", help="write all figures there")
    args = parser.parse_args(argv)

    from orplugins.io.tables import markdown_table

    try:
        figures = track_set(TrackSetSettings(**vars(args)))
    except (ValueError, OSError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(markdown_table(list(figures), [[f"{value:.3f}".rstrip("0").rstrip(".") for value in figures.values()]]))
    return 0
