"""`orplugins compare-on-set` as a script; `--help` says what it does."""

import sys

from orplugins.cli import main_of, run

main = main_of("compare_on_set")

if __name__ == "__main__":
    sys.exit(run("compare_on_set"))
