"""Backbones for mmpose."""

from .depthpose import DepthPoseBackbone
from .refinet import RefiNetPatchNet, RefiNetPointNet, RefiNetSkeletonNet
from .vit import ViT

__all__ = ["DepthPoseBackbone", "RefiNetPatchNet", "RefiNetPointNet", "RefiNetSkeletonNet", "ViT"]
