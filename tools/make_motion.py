"""`orplugins make-motion` as a script; `--help` says what it does."""

import sys

from orplugins.cli import main_of, run

main = main_of("make_motion")

if __name__ == "__main__":
    sys.exit(run("make_motion"))
