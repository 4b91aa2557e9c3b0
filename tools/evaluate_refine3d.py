"""`orplugins evaluate-refine3d` as a script; `--help` says what it does."""

import sys

from orplugins.cli import main_of, run

main = main_of("evaluate_refine3d")

if __name__ == "__main__":
    sys.exit(run("evaluate_refine3d"))
