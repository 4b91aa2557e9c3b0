"""Joint statistics of lifting networks: the published ``h36stats.json``, or a file of its form that we wrote."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from orplugins.io.atomic import write_json
from orplugins.io.json_fields import load_json, numbers
from orplugins.orpose_color.lifting import PoseStatistics

_FIELDS = {"mean_2d": ("data_mean_2d", 64), "std_2d": ("data_std_2d", 64), "use_2d": ("dim_to_use_2d", 32),
           "mean_3d": ("data_mean_3d", 96), "std_3d": ("data_std_3d", 96), "use_3d": ("dim_to_use_3d", 48)}  # fmt: skip


def load_statistics(path: str | os.PathLike) -> PoseStatistics:
    """Read and check a file of joint statistics.

    Args:
        path: JSON file.

    Returns:
        The statistics.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: One line with file, field, found and expected.
    """
    name, data = str(Path(path)), load_json(path)
    arrays = {}
    for field, (key, count) in _FIELDS.items():
        values = numbers(data, key, count, name)
        if field.startswith("use"):
            if (values != np.trunc(values)).any():
                raise ValueError(f"{name}: '{key}' holds fractions, expected whole numbers")
            values = values.astype(np.int64)
        arrays[field] = values
    try:
        return PoseStatistics(**arrays)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def save_statistics(path: str | os.PathLike, statistics: PoseStatistics) -> None:
    """Write statistics in the published file's form, atomically.

    Args:
        path: JSON file.
        statistics: What to write.
    """
    write_json(path, {key: getattr(statistics, field).tolist() for field, (key, _) in _FIELDS.items()})
