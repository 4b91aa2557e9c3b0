"""Keypoint codecs for mmpose."""

from .paf import PAFCodec
from .refinet import JointOffset
from .udp import PublishedHeatmap

__all__ = ["JointOffset", "PAFCodec", "PublishedHeatmap"]
