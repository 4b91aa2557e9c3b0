"""Make the demo page; the same as ``python demo/run.py``, ``--help`` says more."""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    # The page's processes start from the script itself.
    script = Path(__file__).resolve().parents[1] / "demo/run.py"
    os.execv(sys.executable, [sys.executable, str(script), *sys.argv[1:]])
