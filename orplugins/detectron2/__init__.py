"""Adapters into detectron2: they translate between its types and `orplugins.core` / `orplugins.nn`."""

import importlib

# Modules whose import registers classes or data sets of ours with detectron2. They may run while detectron2 is half
# imported (see env.py), so they import its submodules only.
COMPONENTS: tuple[str, ...] = (
    "orplugins.detectron2.data.partial_body",
    "orplugins.detectron2.data.people",
    "orplugins.detectron2.modeling.keypoints3d_head",
    "orplugins.detectron2.modeling.keypoints3d_roi_heads",
    "orplugins.detectron2.modeling.partial_body",
)


def register() -> None:
    """Import `COMPONENTS`. A second call does nothing, as detectron2's registries refuse a name's second registration.

    `import orplugins` arranges for this to be called once detectron2 is imported.
    """
    for component in COMPONENTS:
        importlib.import_module(component)
