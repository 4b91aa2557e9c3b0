"""Registered sets, read before a run: they are there, are not empty, and their images are."""

from __future__ import annotations

from pathlib import Path

from detectron2.data import DatasetCatalog


def read_records(name: str, expected: str) -> list[dict]:
    """Records of a registered set.

    Args:
        name: Of the set.
        expected: What sets there could be, for the error.

    Returns:
        Its records, all of whose images are files.

    Raises:
        FileNotFoundError: An image is missing.
        ValueError: The set is not registered, or is empty.
    """
    if name not in DatasetCatalog.list():
        raise ValueError(f"data set {name!r}: is not registered, expected {expected}")
    records = DatasetCatalog.get(name)
    if not records:
        raise ValueError(f"data set {name!r}: has no image")
    missing = [record["file_name"] for record in records if not Path(record["file_name"]).is_file()]
    if missing:
        raise FileNotFoundError(
            f"{missing[0]}: no such file, expected an image of data set {name!r}; {len(missing)} of {len(records)} are "
            "missing"
        )
    return records
