"""Pipeline transforms for mmpose."""

from .depth import DepthToInput, LoadDepth, PackDepthPoseInputs, RandomDepthAffine, RandomDepthHoles
from .partial_body import (
    InclusiveBox,
    MarkOutOfView,
    PackPartialBodyInputs,
    PublishedHalfBody,
    RandomBodyCrop,
    RandomFrameTruncation,
)

__all__ = [
    "DepthToInput",
    "InclusiveBox",
    "LoadDepth",
    "MarkOutOfView",
    "PackDepthPoseInputs",
    "PackPartialBodyInputs",
    "PublishedHalfBody",
    "RandomBodyCrop",
    "RandomDepthAffine",
    "RandomDepthHoles",
    "RandomFrameTruncation",
]
