"""`orplugins refinet-files` as a script; `--help` says what it does."""

import sys

from orplugins.cli import main_of, run

main = main_of("refinet_files")

if __name__ == "__main__":
    sys.exit(run("refinet_files"))
