"""The generated operating room as a data set of mmpose."""

from .dataset import SyntheticORDataset

__all__ = ["SyntheticORDataset"]
