"""Keypoint codecs for mmpose."""

from .paf import PAFCodec
from .refinet import JointOffset
from .udp import PublishedHeatmap
from .videopose3d import VideoPoseCodec

__all__ = ["JointOffset", "PAFCodec", "PublishedHeatmap", "VideoPoseCodec"]
