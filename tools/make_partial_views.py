"""Make COCO sets that show people only in part (cut at the waist, the chest, or one side), to test pose networks on.

The same as ``orplugins make-partial-views``; ``--help`` says more.
"""

import sys

from orplugins.cli import main_of, run

main = main_of("make_partial_views")

if __name__ == "__main__":
    sys.exit(run("make_partial_views"))
