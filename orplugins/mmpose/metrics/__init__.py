"""Evaluation metrics for mmpose."""

from .motion import MotionMetric
from .mvor import MVORMPJPEMetric, MVORPCKMetric, MVORPersonAPMetric

__all__ = ["MVORMPJPEMetric", "MVORPCKMetric", "MVORPersonAPMetric", "MotionMetric"]
