"""Lets every test import the helpers of this folder, and property tests draw the same examples in every run."""

import os
import sys
from pathlib import Path

from hypothesis import settings

if str(Path(__file__).parent) not in sys.path:
    sys.path.insert(0, str(Path(__file__).parent))

# A failure must be repeatable; HYPOTHESIS_PROFILE=default looks for new examples instead.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
