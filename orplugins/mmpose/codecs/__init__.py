"""Keypoint codecs for mmpose."""
