"""Lets every test import helpers/ and benchmarks/, and property tests draw the same examples in every run."""

import os
import sys
from pathlib import Path

from hypothesis import settings

HELPERS, ROOT = Path(__file__).parent / "helpers", Path(__file__).parents[1]
if str(HELPERS) not in sys.path:
    sys.path.insert(0, str(HELPERS))
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

# A failure must be repeatable; HYPOTHESIS_PROFILE=default looks for new examples instead.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
