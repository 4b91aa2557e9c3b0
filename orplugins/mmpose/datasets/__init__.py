"""Data sets for mmpose."""

from .baracca import BaraccaDataset
from .itop import ItopDataset
from .mvor import MVORDataset

__all__ = ["BaraccaDataset", "ItopDataset", "MVORDataset"]
