"""Backbones for mmpose."""

from .depthpose import DepthPoseBackbone
from .refinet import RefiNetPatchNet, RefiNetPointNet, RefiNetSkeletonNet

__all__ = ["DepthPoseBackbone", "RefiNetPatchNet", "RefiNetPointNet", "RefiNetSkeletonNet"]
