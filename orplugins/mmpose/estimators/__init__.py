"""Pose estimators for mmpose."""

from .depthpose import DepthPoseEstimator
from .partial_body import PartialBodyEstimator
from .refinet import DepthPoseRefiner, RefiNetModule
from .videopose3d import VideoPoseLifter

__all__ = ["DepthPoseEstimator", "DepthPoseRefiner", "PartialBodyEstimator", "RefiNetModule", "VideoPoseLifter"]
