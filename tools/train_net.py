"""Train or evaluate ORPose-Color's student; detectron2's own options apply.

The same as ``orplugins train-net``; ``--help`` says more.
"""

import sys

from orplugins.cli import main_of, run

main = main_of("train_net")

if __name__ == "__main__":
    sys.exit(run("train_net"))
