"""Label pictures of people with a teacher of three networks.

The same as ``orplugins pseudo-label``; ``--help`` says more.
"""

import sys

from orplugins.cli import main_of, run

main = main_of("pseudo_label")

if __name__ == "__main__":
    sys.exit(run("pseudo_label"))
