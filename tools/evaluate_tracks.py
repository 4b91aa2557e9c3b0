"""How well people of a generated motion set keep their identities in 3D: IDF1, switches a minute, MOTA.

The same as ``orplugins evaluate-tracks``; ``--help`` says more.
"""

import sys

from orplugins.cli import main_of, run

main = main_of("evaluate_tracks")

if __name__ == "__main__":
    sys.exit(run("evaluate_tracks"))
