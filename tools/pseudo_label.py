"""Label pictures of people with a teacher of three networks.

The same as ``orplugins pseudo-label``; ``--help`` says more.
"""

import sys

from orplugins.cli.pseudo_label import main

if __name__ == "__main__":
    sys.exit(main())
