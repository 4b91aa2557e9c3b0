"""Videos to frames and back.

The same as ``orplugins video-frames``; ``--help`` says more.
"""

import sys

from orplugins.cli.video_frames import main

if __name__ == "__main__":
    sys.exit(main())
