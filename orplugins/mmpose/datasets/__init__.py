"""Data sets for mmpose."""

from .mvor import MVORDataset

__all__ = ["MVORDataset"]
