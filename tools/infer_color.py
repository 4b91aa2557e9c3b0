"""2D and 3D poses of people in pictures or videos, also in tiny ones.

The same as ``orplugins infer-color``; ``--help`` says more.
"""

import sys

from orplugins.cli.infer_color import main

if __name__ == "__main__":
    sys.exit(main())
