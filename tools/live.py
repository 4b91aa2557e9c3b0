"""People of cameras that run, or of recordings played like them: in images, in 3D, over time, with a viewer.

The same as ``orplugins live``; ``--help`` says more.
"""

import sys

from orplugins.cli import main_of, run

main = main_of("live")

if __name__ == "__main__":
    sys.exit(run("live"))
