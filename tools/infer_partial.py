"""Boxes and poses of people of whom a part may be out of view, in pictures and videos.

The same as ``orplugins infer-partial``; ``--help`` says more.
"""

import sys

from orplugins.cli import main_of, run

main = main_of("infer_partial")

if __name__ == "__main__":
    sys.exit(run("infer_partial"))
