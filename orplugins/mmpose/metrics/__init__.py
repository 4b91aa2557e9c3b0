"""Evaluation metrics for mmpose."""

from .mvor import MVORMPJPEMetric, MVORPCKMetric, MVORPersonAPMetric

__all__ = ["MVORMPJPEMetric", "MVORPCKMetric", "MVORPersonAPMetric"]
