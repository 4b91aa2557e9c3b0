"""RefiNet in mmpose."""

from .augment import DropJoints, MirrorFrame
from .backbones import RefiNetPatchNet, RefiNetPointNet, RefiNetSkeletonNet
from .baracca import BaraccaDataset
from .codec import JointOffset
from .estimators import DepthPoseRefiner, RefiNetModule
from .head import OffsetHead
from .itop import ItopDataset
from .metrics import DumpPoses, JointDistance, RefineOKS
from .pack import PackRefineInputs
from .transforms import (
    AddPoseNoise,
    CropDepthPatches,
    CropJointClouds,
    EncodeOffsets,
    InitInputPose,
    LiftPose,
    NormalizeSkeleton,
    UseDepth,
)

__all__ = [
    "AddPoseNoise",
    "BaraccaDataset",
    "CropDepthPatches",
    "CropJointClouds",
    "DepthPoseRefiner",
    "DropJoints",
    "DumpPoses",
    "EncodeOffsets",
    "InitInputPose",
    "ItopDataset",
    "JointDistance",
    "JointOffset",
    "LiftPose",
    "MirrorFrame",
    "NormalizeSkeleton",
    "OffsetHead",
    "PackRefineInputs",
    "RefiNetModule",
    "RefiNetPatchNet",
    "RefiNetPointNet",
    "RefiNetSkeletonNet",
    "RefineOKS",
    "UseDepth",
]
