"""Keypoint codecs for mmpose."""

from .paf import PAFCodec

__all__ = ["PAFCodec"]
