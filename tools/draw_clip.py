"""`orplugins draw-clip` as a script; `--help` says what it does."""

import sys

from orplugins.cli.draw_clip import main

if __name__ == "__main__":
    sys.exit(main())
