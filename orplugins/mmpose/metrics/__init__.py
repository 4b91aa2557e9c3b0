"""Evaluation metrics for mmpose."""

from .mvor import MVORMPJPEMetric, MVORPCKMetric, MVORPersonAPMetric
from .partial_body import JointStateMetric

__all__ = ["JointStateMetric", "MVORMPJPEMetric", "MVORPCKMetric", "MVORPersonAPMetric"]
