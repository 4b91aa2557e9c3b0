"""`orplugins refinet-files` as a script; `--help` says what it does."""

import sys

from orplugins.cli.refinet_files import main

if __name__ == "__main__":
    sys.exit(main())
