"""Evaluation metrics for mmpose."""

from .motion import MotionMetric
from .mvor import MVORMPJPEMetric, MVORPCKMetric, MVORPersonAPMetric
from .partial_body import JointStateMetric
from .refinet import DumpPoses, JointDistance, RefineOKS

__all__ = [
    "DumpPoses",
    "JointDistance",
    "JointStateMetric",
    "MVORMPJPEMetric",
    "MVORPCKMetric",
    "MVORPersonAPMetric",
    "MotionMetric",
    "RefineOKS",
]
