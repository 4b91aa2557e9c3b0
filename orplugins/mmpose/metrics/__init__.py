"""Evaluation metrics for mmpose."""

from .mvor import MVORMPJPEMetric, MVORPCKMetric, MVORPersonAPMetric
from .motion import MotionMetric

__all__ = ["MVORMPJPEMetric", "MVORPCKMetric", "MVORPersonAPMetric", "MotionMetric"]
