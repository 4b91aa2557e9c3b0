"""Split one file with the people of all cameras into a file a camera, as tools/triangulate.py takes them.

Each camera's images lie in a folder of their own (--camera-folders where their names do not tell). Written are COCO
result lists whose image_id is the frame number, those of several recordings in a folder each.

examples:
  python tools/split_views.py data/room/annotations/coco17.json --out runs/views
  python tools/split_views.py runs/small.keypoints.json --annotations data/room/annotations/mvor.json --out runs/views
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main(argv: list[str] | None = None) -> int:
    """Write the files and name them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", metavar="PATH", help="2D people of all cameras")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--annotations", metavar="JSON", help="COCO file that names the images of a result list")
    parser.add_argument(
        "--camera-folders", dest="folders", nargs="+", default=(), help="folders that tell cameras apart"
    )
    parser.add_argument(
        "--image-size", dest="size", type=int, nargs=2, metavar=("W", "H"), help="where no file says it"
    )
    args = parser.parse_args(argv)

    from orplugins.rig.split import split_views

    try:
        files = split_views(**vars(args))
    except (ValueError, OSError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("\n".join(f"written to {path}" for path in files))
    return 0
