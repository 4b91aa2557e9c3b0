"""Pipeline transforms for mmpose."""

from .depth import DepthToInput, LoadDepth, PackDepthPoseInputs, RandomDepthAffine, RandomDepthHoles
from .refinet import (
    AddPoseNoise,
    CropDepthPatches,
    CropJointClouds,
    EncodeOffsets,
    InitInputPose,
    LiftPose,
    NormalizeSkeleton,
    UseDepth,
)
from .refinet_pack import PackRefineInputs

__all__ = [
    "AddPoseNoise",
    "CropDepthPatches",
    "CropJointClouds",
    "DepthToInput",
    "EncodeOffsets",
    "InitInputPose",
    "LiftPose",
    "LoadDepth",
    "NormalizeSkeleton",
    "PackDepthPoseInputs",
    "PackRefineInputs",
    "RandomDepthAffine",
    "RandomDepthHoles",
    "UseDepth",
]
