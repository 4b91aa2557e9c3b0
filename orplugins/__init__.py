"""Human pose in operating rooms: a plugin for mmpose 1.x and detectron2.

Importing it imports neither torch nor a host; our classes are registered with a host as soon as both are imported, and
from then on the host reads files of weights by a reader that runs nothing (`orplugins.hosts.guards`).
"""

import importlib

from wrapt import register_post_import_hook

from orplugins.hosts.guards import GUARDED, guard

__version__ = "0.1.0"

_hooked = False


def register() -> None:
    """Register with mmpose and detectron2: at once where they are imported, else at the end of their import.

    ``import orplugins`` calls it; calling it again changes nothing. An error while registering is raised from the
    import during which it happens.
    """
    global _hooked
    if _hooked:
        return
    _hooked = True
    register_post_import_hook(lambda host: importlib.import_module("orplugins.registry"), "mmpose")
    register_post_import_hook(
        lambda host: importlib.import_module("orplugins.hosts.detectron2.components").register(), "detectron2"
    )
    for reads_weights in GUARDED:
        register_post_import_hook(guard, reads_weights)


def doctor():
    """Import every host and every class of ours and say what came of it.

    Returns:
        An `orplugins.diagnosis.Report`; ``python -m orplugins`` prints it.
    """
    from orplugins.diagnosis import diagnose  # imports nothing heavy itself, but `import orplugins` has no use for it

    return diagnose()


register()
