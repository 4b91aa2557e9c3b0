"""Pose estimators for mmpose."""

from .depthpose import DepthPoseEstimator
from .partial_body import PartialBodyEstimator

__all__ = ["DepthPoseEstimator", "PartialBodyEstimator"]
