"""People in thousands of hours of recordings, by a model file, on this machine or on a Ray cluster.

The same as ``orplugins batch``; ``--help`` says more.
"""

import sys

from orplugins.cli import main_of, run

main = main_of("batch")

if __name__ == "__main__":
    sys.exit(run("batch"))
