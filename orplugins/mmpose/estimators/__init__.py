"""Pose estimators for mmpose."""

from .depthpose import DepthPoseEstimator
from .videopose3d import VideoPoseLifter

__all__ = ["DepthPoseEstimator", "VideoPoseLifter"]
