"""Backbones for mmpose."""

from .depthpose import DepthPoseBackbone
from .vit import ViT

__all__ = ["DepthPoseBackbone", "ViT"]
