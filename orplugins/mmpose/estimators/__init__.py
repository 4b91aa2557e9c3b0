"""Pose estimators for mmpose."""

from .depthpose import DepthPoseEstimator

__all__ = ["DepthPoseEstimator"]
