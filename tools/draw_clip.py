"""`orplugins draw-clip` as a script; `--help` says what it does."""

import sys

from orplugins.cli import main_of, run

main = main_of("draw_clip")

if __name__ == "__main__":
    sys.exit(run("draw_clip"))
