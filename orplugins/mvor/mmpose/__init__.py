"""MVOR in mmpose: data set and metrics."""

from .dataset import MVORDataset
from .metrics import MVORMPJPEMetric, MVORPCKMetric, MVORPersonAPMetric

__all__ = ["MVORDataset", "MVORMPJPEMetric", "MVORPCKMetric", "MVORPersonAPMetric"]
