"""Data sets for mmpose."""

from .baracca import BaraccaDataset
from .itop import ItopDataset
from .mvor import MVORDataset
from .synthetic import SyntheticORDataset

__all__ = ["BaraccaDataset", "ItopDataset", "MVORDataset", "SyntheticORDataset"]
