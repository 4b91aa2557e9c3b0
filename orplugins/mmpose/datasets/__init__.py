"""Data sets for mmpose."""

from .baracca import BaraccaDataset
from .itop import ItopDataset
from .mvor import MVORDataset
from .partial_body import (
    PartialBodyDataset,
    Patient21Dataset,
    Patient22Dataset,
    PublishedPatient21Dataset,
    PublishedPatient22Dataset,
    PublishedUser6Dataset,
    User6Dataset,
)
from .synthetic import SyntheticORDataset
from .videopose3d import VideoPose3DDataset

__all__ = [
    "BaraccaDataset",
    "ItopDataset",
    "MVORDataset",
    "PartialBodyDataset",
    "Patient21Dataset",
    "Patient22Dataset",
    "PublishedPatient21Dataset",
    "PublishedPatient22Dataset",
    "PublishedUser6Dataset",
    "SyntheticORDataset",
    "User6Dataset",
    "VideoPose3DDataset",
]
