"""Pose estimators for mmpose."""

from .depthpose import DepthPoseEstimator
from .refinet import DepthPoseRefiner, RefiNetModule

__all__ = ["DepthPoseEstimator", "DepthPoseRefiner", "RefiNetModule"]
