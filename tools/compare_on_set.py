"""`orplugins compare-on-set` as a script; `--help` says what it does."""

import sys

from orplugins.cli.compare_on_set import main

if __name__ == "__main__":
    sys.exit(main())
