"""`orplugins lift-video` as a script; `--help` says what it does."""

import sys

from orplugins.cli.lift_video import main

if __name__ == "__main__":
    sys.exit(main())
