"""`orplugins make-or-dataset` as a script; `--help` says what it does."""

import sys

from orplugins.cli.make_or_dataset import main

if __name__ == "__main__":
    sys.exit(main())
