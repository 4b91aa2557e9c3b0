"""Pipeline transforms for mmpose."""

from .depth import DepthToInput, LoadDepth, PackDepthPoseInputs, RandomDepthAffine, RandomDepthHoles
from .videopose3d import MirrorPoseSequence

__all__ = [
    "DepthToInput",
    "LoadDepth",
    "MirrorPoseSequence",
    "PackDepthPoseInputs",
    "RandomDepthAffine",
    "RandomDepthHoles",
]
