"""Compare the PAF decoders on generated scenes whose people are known.

The same as ``orplugins compare-decoders``; ``--help`` says more.
"""

import sys

from orplugins.cli.compare_decoders import main

if __name__ == "__main__":
    sys.exit(main())
