"""Train the network that lifts 2D joints to 3D, on annotations with both.

The same as ``orplugins train-lifter``; ``--help`` says more.
"""

import sys

from orplugins.cli import main_of, run

main = main_of("train_lifter")

if __name__ == "__main__":
    sys.exit(run("train_lifter"))
