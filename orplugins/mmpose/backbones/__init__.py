"""Backbones for mmpose."""

from .depthpose import DepthPoseBackbone

__all__ = ["DepthPoseBackbone"]
