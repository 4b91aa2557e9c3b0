"""Train the network that lifts 2D joints to 3D, on annotations with both.

The same as ``orplugins train-lifter``; ``--help`` says more.
"""

import sys

from orplugins.cli.train_lifter import main

if __name__ == "__main__":
    sys.exit(main())
