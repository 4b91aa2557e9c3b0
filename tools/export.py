"""Adapt a network to the recordings of your own room: no labels, no download.

The same as ``orplugins export``; ``--help`` says more.
"""

import sys

from orplugins.cli import main_of, run

main = main_of("export")

if __name__ == "__main__":
    sys.exit(run("export"))
