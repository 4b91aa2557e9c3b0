"""Keypoint codecs for mmpose."""

from .paf import PAFCodec
from .refinet import JointOffset

__all__ = ["JointOffset", "PAFCodec"]
