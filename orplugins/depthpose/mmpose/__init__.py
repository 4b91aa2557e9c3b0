"""DepthPose in mmpose."""

from .backbone import DepthPoseBackbone
from .codec import PAFCodec
from .estimator import DepthPoseEstimator
from .head import PAFHead
from .transforms import DepthToInput, LoadDepth, PackDepthPoseInputs, RandomDepthAffine, RandomDepthHoles
from .unlabelled import MaskUnlabelled
from .visualizer import DepthVisualizer

__all__ = [
    "DepthPoseBackbone",
    "DepthPoseEstimator",
    "DepthToInput",
    "DepthVisualizer",
    "LoadDepth",
    "MaskUnlabelled",
    "PAFCodec",
    "PAFHead",
    "PackDepthPoseInputs",
    "RandomDepthAffine",
    "RandomDepthHoles",
]
