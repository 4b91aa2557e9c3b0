"""Backbones for mmpose."""

from .depthpose import DepthPoseBackbone
from .refinet import RefiNetPatchNet, RefiNetPointNet, RefiNetSkeletonNet
from .videopose3d import VideoPoseTCN
from .vit import ViT

__all__ = ["DepthPoseBackbone", "RefiNetPatchNet", "RefiNetPointNet", "RefiNetSkeletonNet", "ViT", "VideoPoseTCN"]
