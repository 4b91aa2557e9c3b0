"""Evaluate detections with the published protocols of MVOR.

The same as ``orplugins evaluate``; ``--help`` says more.
"""

import sys

from orplugins.cli import main_of, run

main = main_of("evaluate")

if __name__ == "__main__":
    sys.exit(run("evaluate"))
