"""COCO's uncompressed run-length code of masks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def run_lengths(mask: np.ndarray) -> dict[str, Any]:
    """The code of a mask: column by column, background first.

    Args:
        mask: (H, W) bool, not empty.

    Returns:
        `size` and `counts`.
    """
    flat = mask.ravel(order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff(np.concatenate([[0], edges, [flat.size]])).tolist()
    return {"size": list(mask.shape), "counts": [0, *runs] if flat[0] else runs}


def mask_of(code: Mapping[str, Any]) -> np.ndarray:
    """The mask of a code.

    Args:
        code: See `run_lengths`.

    Returns:
        (H, W) bool.

    Raises:
        ValueError: The counts do not add up to the size.
    """
    height, width = code["size"]
    counts = np.asarray(code["counts"], dtype=np.int64)
    if counts.sum() != height * width:
        raise ValueError(f"mask: its runs have {counts.sum()} pixels, expected {height * width}, {width}x{height}")
    flat = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    return flat.reshape(width, height).T
