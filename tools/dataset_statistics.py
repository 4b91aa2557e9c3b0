"""`orplugins dataset-statistics` as a script; `--help` says what it does."""

import sys

from orplugins.cli.dataset_statistics import main

if __name__ == "__main__":
    sys.exit(main())
