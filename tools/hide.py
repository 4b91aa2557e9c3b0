"""Hide people in recordings: copies that show no head, nobody, or nothing but skeletons. No guarantee.

The same as ``orplugins hide``; ``--help`` says more.
"""

import sys

from orplugins.cli import main_of, run

main = main_of("hide")

if __name__ == "__main__":
    sys.exit(run("hide"))
