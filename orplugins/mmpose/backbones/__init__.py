"""Backbones for mmpose."""

from .depthpose import DepthPoseBackbone
from .videopose3d import VideoPoseTCN

__all__ = ["DepthPoseBackbone", "VideoPoseTCN"]
