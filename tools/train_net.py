"""Train or evaluate ORPose-Color's student; detectron2's own options apply.

The same as ``orplugins train-net``; ``--help`` says more.
"""

import sys

from orplugins.cli.train_net import main

if __name__ == "__main__":
    sys.exit(main())
