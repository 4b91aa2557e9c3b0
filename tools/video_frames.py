"""Videos to frames and back.

The same as ``orplugins video-frames``; ``--help`` says more.
"""

import sys

from orplugins.cli import main_of, run

main = main_of("video_frames")

if __name__ == "__main__":
    sys.exit(run("video_frames"))
