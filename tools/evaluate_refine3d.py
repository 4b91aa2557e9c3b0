"""`orplugins evaluate-refine3d` as a script; `--help` says what it does."""

import sys

from orplugins.cli.evaluate_refine3d import main

if __name__ == "__main__":
    sys.exit(main())
