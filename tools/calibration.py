"""`orplugins calibration` as a script; `--help` says what it does."""

import sys

from orplugins.cli.calibration import main

if __name__ == "__main__":
    sys.exit(main())
