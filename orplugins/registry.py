"""Registries of scope ``orplugins``, children of mmpose's: ``type='orplugins.X'`` in any mmpose config finds our X.

mmengine imports ``<scope>.registry`` for a scope that it does not know and hides an ImportError from in there, so this
module imports the two hosts' registries and nothing else. The classes themselves are imported on a registry's first
look-up, from the packages in ``LOCATIONS``; mmengine does not hide an error in one of those.
"""

from mmengine.registry import Registry
from mmpose import registry as mmpose_registry

LOCATIONS = (
    "orplugins.hosts.mmpose.seed_hook",
    "orplugins.hosts.mmpose.timm_backbone",
    "orplugins.hosts.mmpose.people_scores",
    "orplugins.mvor.mmpose",
    "orplugins.synthetic.mmpose",
    "orplugins.depthpose.mmpose",
    "orplugins.refinet.mmpose",
    "orplugins.partial_body.mmpose",
    "orplugins.videopose3d.mmpose",
)

REGISTRIES = ("MODELS", "DATASETS", "TRANSFORMS", "METRICS", "KEYPOINT_CODECS", "VISUALIZERS", "HOOKS")


def _child(name: str) -> Registry:
    """Make the child of mmpose's registry ``name``."""
    parent = getattr(mmpose_registry, name)
    return Registry(parent.name, parent=parent, scope="orplugins", locations=list(LOCATIONS))


MODELS = _child("MODELS")
DATASETS = _child("DATASETS")
TRANSFORMS = _child("TRANSFORMS")
METRICS = _child("METRICS")
KEYPOINT_CODECS = _child("KEYPOINT_CODECS")
VISUALIZERS = _child("VISUALIZERS")
HOOKS = _child("HOOKS")
