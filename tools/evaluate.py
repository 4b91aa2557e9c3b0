"""Evaluate detections with the published protocols of MVOR.

The same as ``orplugins evaluate``; ``--help`` says more.
"""

import sys

from orplugins.cli.evaluate import main

if __name__ == "__main__":
    sys.exit(main())
