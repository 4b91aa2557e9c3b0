"""PCK of a depth network against how far its depth pictures are down-sampled, through mmpose's stock test script.

The same as ``orplugins depth-ladder``; ``--help`` says more.
"""

import sys

from orplugins.cli import main_of, run

main = main_of("depth_ladder")

if __name__ == "__main__":
    sys.exit(run("depth_ladder"))
