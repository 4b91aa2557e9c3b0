"""Heads for mmpose."""

from .paf import PAFHead
from .partial_body import JointStateHead
from .refinet import OffsetHead
from .videopose3d import DenseTemporalHead, RootTrajectoryHead

__all__ = ["DenseTemporalHead", "JointStateHead", "OffsetHead", "PAFHead", "RootTrajectoryHead"]
