"""Data sets for mmpose."""

from .mvor import MVORDataset
from .videopose3d import VideoPose3DDataset

__all__ = ["MVORDataset", "VideoPose3DDataset"]
