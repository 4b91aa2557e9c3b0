"""What of ours registers with detectron2."""

import importlib

# Modules whose import registers classes or data sets of ours with detectron2. They may run while detectron2 is half
# imported (see `orplugins.detectron2.env`), so they import its submodules only.
COMPONENTS: tuple[str, ...] = (
    "orplugins.hosts.detectron2.timm_backbone",
    "orplugins.partial_body.detectron2.datasets",
    "orplugins.orpose_color.detectron2.datasets",
    "orplugins.orpose_color.detectron2.keypoint_head",
    "orplugins.orpose_color.detectron2.roi_heads",
    "orplugins.partial_body.detectron2.rcnn",
    "orplugins.adaptor.detectron2.datasets",
    "orplugins.adaptor.detectron2.heads",
    "orplugins.adaptor.detectron2.meta_arch",
)

# Functions that add a method's keys to a config: (module, name).
CONFIG_KEYS: tuple[tuple[str, str], ...] = (("orplugins.adaptor.detectron2.config", "add_adaptor_config"),)


def register() -> None:
    """Import `COMPONENTS`, once: detectron2's registries refuse a name's second registration.

    `import orplugins` arranges for this to be called once detectron2 is imported.
    """
    for component in COMPONENTS:
        importlib.import_module(component)
