"""`orplugins dataset-statistics` as a script; `--help` says what it does."""

import sys

from orplugins.cli import main_of, run

main = main_of("dataset_statistics")

if __name__ == "__main__":
    sys.exit(run("dataset_statistics"))
