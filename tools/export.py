"""Write a network as a model file that needs neither torch nor a host: ONNX, and OpenVINO's form.

The same as ``orplugins export``; ``--help`` says more.
"""

import sys

from orplugins.cli import main_of, run

main = main_of("export")

if __name__ == "__main__":
    sys.exit(run("export"))
