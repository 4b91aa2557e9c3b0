"""Fine-tune a shipped network on your own labelled pictures, a COCO file of a few dozen.

The same as ``orplugins finetune``; ``--help`` says more.
"""

import sys

from orplugins.cli import main_of, run

main = main_of("finetune")

if __name__ == "__main__":
    sys.exit(run("finetune"))
