"""Keypoint codecs for mmpose."""

from .paf import PAFCodec
from .refinet import JointOffset
from .udp import BatchedHeatmap, PublishedHeatmap
from .videopose3d import VideoPoseCodec

__all__ = ["BatchedHeatmap", "JointOffset", "PAFCodec", "PublishedHeatmap", "VideoPoseCodec"]
