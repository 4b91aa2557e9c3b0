"""`orplugins lift-video` as a script; `--help` says what it does."""

import sys

from orplugins.cli import main_of, run

main = main_of("lift_video")

if __name__ == "__main__":
    sys.exit(run("lift_video"))
