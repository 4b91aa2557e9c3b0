"""Lets every test import the helpers that lie in this folder, whatever pytest's import mode is."""

import sys
from pathlib import Path

if str(Path(__file__).parent) not in sys.path:
    sys.path.insert(0, str(Path(__file__).parent))
