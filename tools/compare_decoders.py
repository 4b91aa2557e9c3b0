"""Compare the PAF decoders on generated scenes whose people are known.

The same as ``orplugins compare-decoders``; ``--help`` says more.
"""

import sys

from orplugins.cli import main_of, run

main = main_of("compare_decoders")

if __name__ == "__main__":
    sys.exit(run("compare_decoders"))
