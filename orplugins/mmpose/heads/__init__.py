"""Heads for mmpose."""

from .paf import PAFHead
from .videopose3d import DenseTemporalHead, RootTrajectoryHead

__all__ = ["DenseTemporalHead", "PAFHead", "RootTrajectoryHead"]
