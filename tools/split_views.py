"""`orplugins split_views` as a script; `--help` says what it does."""

import sys

from orplugins.cli import main_of, run

main = main_of("split_views")

if __name__ == "__main__":
    sys.exit(run("split_views"))
