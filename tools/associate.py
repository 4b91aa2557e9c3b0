"""Who is who across cameras: people with poses or boxes only, with a calibration or without one.

The same as ``orplugins associate``; ``--help`` says more.
"""

import sys

from orplugins.cli import main_of, run

main = main_of("associate")

if __name__ == "__main__":
    sys.exit(run("associate"))
