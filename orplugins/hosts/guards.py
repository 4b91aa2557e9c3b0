"""Where the hosts read files of weights, and what reads them there in a process that has imported `orplugins`.

The guard sits where the bytes are read, so it does not matter which option, script or class of a host led there, nor
what the file is called. It replaces a name in the host's module; torch and pickle themselves stay as they are.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

# The host's module that reads, and ours with a function `guard` that changes it.
GUARDED = {
    "mmengine.runner.checkpoint": "orplugins.hosts.mmpose.checkpoints",
    "fvcore.common.checkpoint": "orplugins.hosts.detectron2.guard",
    "detectron2.checkpoint.detection_checkpoint": "orplugins.hosts.detectron2.guard",
    "detectron2.data.build": "orplugins.hosts.detectron2.guard",
}


class Instead(ModuleType):
    """A module in all but its function `load`.

    Args:
        module: The module.
        load: The function instead of its own.
    """

    def __init__(self, module: ModuleType, load: Callable[..., Any]):
        super().__init__(module.__name__)
        self._module, self.load = module, load

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def guard(module: ModuleType) -> None:
    """Have a host's module read weights by our reader.

    Args:
        module: A module named in `GUARDED`, imported.
    """
    importlib.import_module(GUARDED[module.__name__]).guard(module)
