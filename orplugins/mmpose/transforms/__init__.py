"""Pipeline transforms for mmpose."""

from .depth import DepthToInput, LoadDepth, PackDepthPoseInputs, RandomDepthAffine, RandomDepthHoles
from .partial_body import (
    InclusiveBox,
    LoadImageOnce,
    MarkOutOfView,
    PackPartialBodyInputs,
    PublishedHalfBody,
    RandomBodyCrop,
    RandomFrameTruncation,
)
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
from .refinet_augment import DropJoints, MirrorFrame
from .refinet_pack import PackRefineInputs
from .videopose3d import MirrorPoseSequence

__all__ = [
    "AddPoseNoise",
    "CropDepthPatches",
    "CropJointClouds",
    "DepthToInput",
    "DropJoints",
    "EncodeOffsets",
    "InclusiveBox",
    "InitInputPose",
    "LiftPose",
    "LoadDepth",
    "LoadImageOnce",
    "MarkOutOfView",
    "MirrorFrame",
    "MirrorPoseSequence",
    "NormalizeSkeleton",
    "PackDepthPoseInputs",
    "PackPartialBodyInputs",
    "PackRefineInputs",
    "PublishedHalfBody",
    "RandomBodyCrop",
    "RandomDepthAffine",
    "RandomDepthHoles",
    "RandomFrameTruncation",
    "UseDepth",
]
