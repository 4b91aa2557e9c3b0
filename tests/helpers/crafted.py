"""The files of dev/make_crafted_weights.py, and whether one of them ran something."""

import importlib.util
import os
import time
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


def maker() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("make_crafted_weights", ROOT / "dev/make_crafted_weights.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Canary:
    """A path that no file of weights may make; it is named in the environment.

    Args:
        folder: Where it would appear.
    """

    def __init__(self, folder: Path):
        self.path = folder / "canary"
        self.environment = {maker().CANARY: str(self.path)}
        os.environ.update(self.environment)

    def sang(self) -> bool:
        """Whether it is there, and forget it."""
        found = self.path.exists()
        self.path.unlink(missing_ok=True)
        return found

    def sings_within(self, seconds: float = 5) -> bool:
        """Wait for a process that a file started."""
        end = time.monotonic() + seconds
        while not self.path.exists() and time.monotonic() < end:
            time.sleep(0.05)
        return self.sang()
