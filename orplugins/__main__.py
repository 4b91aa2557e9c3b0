"""``python -m orplugins COMMAND``; without a command, the doctor."""

import sys

from orplugins.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["doctor"]))
