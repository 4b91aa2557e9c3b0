"""Keypoint codecs for mmpose."""

from .paf import PAFCodec
from .udp import PublishedHeatmap

__all__ = ["PAFCodec", "PublishedHeatmap"]
