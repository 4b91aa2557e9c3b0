"""Evaluation metrics for mmpose."""

from .mvor import MVORMPJPEMetric, MVORPCKMetric, MVORPersonAPMetric
from .refinet import DumpPoses, JointDistance, RefineOKS

__all__ = [
    "DumpPoses",
    "JointDistance",
    "MVORMPJPEMetric",
    "MVORPCKMetric",
    "MVORPersonAPMetric",
    "RefineOKS",
]
