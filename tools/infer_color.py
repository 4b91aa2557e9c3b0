"""2D and 3D poses of people in pictures or videos, also in tiny ones.

The same as ``orplugins infer-color``; ``--help`` says more.
"""

import sys

from orplugins.cli import main_of, run

main = main_of("infer_color")

if __name__ == "__main__":
    sys.exit(run("infer_color"))
