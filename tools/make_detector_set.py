"""Make the detector's sets, patients and users, of generated operating-room pictures.

The same as ``orplugins make-detector-set``; ``--help`` says more.
"""

import sys

from orplugins.cli.make_detector_set import main

if __name__ == "__main__":
    sys.exit(main())
