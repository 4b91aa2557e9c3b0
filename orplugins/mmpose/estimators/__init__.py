"""Pose estimators for mmpose."""

from .depthpose import DepthPoseEstimator
from .partial_body import PartialBodyEstimator
from .refinet import DepthPoseRefiner, RefiNetModule

__all__ = ["DepthPoseEstimator", "DepthPoseRefiner", "PartialBodyEstimator", "RefiNetModule"]
