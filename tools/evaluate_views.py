"""AP, PCK and joint states of a pose network on whole people and on views of parts of them.

The same as ``orplugins evaluate-views``; ``--help`` says more.
"""

import sys

from orplugins.cli import main_of, run

main = main_of("evaluate_views")

if __name__ == "__main__":
    sys.exit(run("evaluate_views"))
