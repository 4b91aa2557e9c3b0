"""`orplugins draw-montage` as a script; `--help` says what it does."""

import sys

from orplugins.cli import main_of, run

main = main_of("draw_montage")

if __name__ == "__main__":
    sys.exit(run("draw_montage"))
