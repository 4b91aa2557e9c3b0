"""Keypoint codecs for mmpose."""

from .paf import PAFCodec
from .videopose3d import VideoPoseCodec

__all__ = ["PAFCodec", "VideoPoseCodec"]
