"""Evaluate a model on pictures reduced 1 to 12 times, and plot metric against scale.

The same as ``orplugins resolution-ladder``; ``--help`` says more.
"""

import sys

from orplugins.cli import main_of, run

main = main_of("resolution_ladder")

if __name__ == "__main__":
    sys.exit(run("resolution_ladder"))
