"""Make the detector's sets, patients and users, of generated operating-room pictures.

The same as ``orplugins make-detector-set``; ``--help`` says more.
"""

import sys

from orplugins.cli import main_of, run

main = main_of("make_detector_set")

if __name__ == "__main__":
    sys.exit(run("make_detector_set"))
