"""Data sets for mmpose."""

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

__all__ = [
    "MVORDataset",
    "PartialBodyDataset",
    "Patient21Dataset",
    "Patient22Dataset",
    "PublishedPatient21Dataset",
    "PublishedPatient22Dataset",
    "PublishedUser6Dataset",
    "User6Dataset",
]
