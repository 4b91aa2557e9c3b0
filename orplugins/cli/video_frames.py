"""Videos to frames and back.

Examples:
    python tools/video_frames.py split clip.mp4 other.mov --out frames       # frames/clip/000000.jpg, ...
    python tools/video_frames.py split cam1/a.mp4 cam2/a.mp4 --out frames    # frames/cam1/a/, frames/cam2/a/
    python tools/video_frames.py join frames/clip --out again.mp4            # fps as in the video it came from
    python tools/video_frames.py join frames/clip --out slow.mp4 --fps 5
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from orplugins.io.frames import unique_tails
from orplugins.io.video import join_frames, split_video


def main(argv: list[str] | None = None) -> int:
    """Parse arguments, split videos or join frames, print what was written."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    split = commands.add_parser("split", help="videos to folders of pictures and a video.json with fps and size")
    split.add_argument("videos", nargs="+", type=Path)
    split.add_argument("--out", type=Path, required=True, metavar="DIR", help="a folder for each video is made there")
    split.add_argument("--suffix", default=".jpg", help="form of the pictures (default: .jpg)")
    join = commands.add_parser("join", help="a folder of pictures, in natural order, to a video")
    join.add_argument("folder", type=Path)
    join.add_argument("--out", type=Path, required=True, metavar="VIDEO", help=".mp4, .mov, .mkv or .avi")
    join.add_argument("--fps", type=float, help="frames a second (default: as the folder's video.json says)")
    args = parser.parse_args(argv)
    sources, failed = args.videos if args.command == "split" else [args.folder], False
    try:
        tails = unique_tails([source.with_suffix("") for source in sources])
    except ValueError as error:
        print(f"error: {error}, without its suffix", file=sys.stderr)
        return 1
    for source, tail in zip(sources, tails, strict=True):
        try:
            if args.command == "split":
                info = split_video(source, args.out / tail, args.suffix)
                print(
                    f"{source}: {info.frames} frames of {info.size[0]}x{info.size[1]}, {info.fps:g} a second, "
                    f"in {args.out / tail}"
                )
            else:
                print(f"{args.out}: {join_frames(source, args.out, args.fps)} frames")
        except (OSError, ValueError) as error:
            print(f"error: {error}", file=sys.stderr)
            failed = True
    return int(failed)
