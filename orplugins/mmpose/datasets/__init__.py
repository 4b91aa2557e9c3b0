"""Data sets for mmpose."""

from .mvor import MVORDataset
from .synthetic import SyntheticORDataset

__all__ = ["MVORDataset", "SyntheticORDataset"]
