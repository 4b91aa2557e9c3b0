"""`orplugins compare-motion` as a script; `--help` says what it does."""

import sys

from orplugins.cli.compare_motion import main

if __name__ == "__main__":
    sys.exit(main())
