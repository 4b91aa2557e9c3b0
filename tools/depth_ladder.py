"""PCK of a depth network against how far its depth pictures are down-sampled, through mmpose's stock test script.

The same as ``orplugins depth-ladder``; ``--help`` says more.
"""

import sys

from orplugins.cli.depth_ladder import main

if __name__ == "__main__":
    sys.exit(main())
