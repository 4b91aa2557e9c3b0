"""Poses of people who are partly out of view in mmpose."""

from .backbone import ViT
from .codec import BatchedHeatmap, PublishedHeatmap
from .datasets import (
    PartialBodyDataset,
    Patient21Dataset,
    Patient22Dataset,
    PublishedPatient21Dataset,
    PublishedPatient22Dataset,
    PublishedUser6Dataset,
    User6Dataset,
)
from .estimator import PartialBodyEstimator
from .head import JointStateHead
from .metrics import JointStateMetric, PeopleCocoMetric
from .neck import MergedPyramid
from .transforms import (
    InclusiveBox,
    LoadImageOnce,
    MarkOutOfView,
    PackPartialBodyInputs,
    PublishedHalfBody,
    RandomAppearance,
    RandomBodyCrop,
    RandomFrameTruncation,
)

__all__ = [
    "BatchedHeatmap",
    "InclusiveBox",
    "JointStateHead",
    "JointStateMetric",
    "LoadImageOnce",
    "MarkOutOfView",
    "MergedPyramid",
    "PackPartialBodyInputs",
    "PartialBodyDataset",
    "PartialBodyEstimator",
    "Patient21Dataset",
    "Patient22Dataset",
    "PeopleCocoMetric",
    "PublishedHalfBody",
    "PublishedHeatmap",
    "PublishedPatient21Dataset",
    "PublishedPatient22Dataset",
    "PublishedUser6Dataset",
    "RandomAppearance",
    "RandomBodyCrop",
    "RandomFrameTruncation",
    "User6Dataset",
    "ViT",
]
