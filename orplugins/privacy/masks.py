"""Which pixels of a picture are hidden."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orplugins.privacy.people import Person


def mask_of(people: Sequence[Person], size: tuple[int, int]) -> np.ndarray:
    """Pixels that lie in any shape of anybody, even by a corner.

    Args:
        people: The people.
        size: (width, height) of the picture.

    Returns:
        (H, W) bool.
    """
    width, height = size
    mask = np.zeros((height, width), bool)
    for x1, y1, x2, y2, is_round in (row for person in people for row in person.shapes):
        left, top = max(0, int(np.floor(x1))), max(0, int(np.floor(y1)))
        right, bottom = min(width, int(np.ceil(x2))), min(height, int(np.ceil(y2)))
        if right <= left or bottom <= top:
            continue
        if not is_round:
            mask[top:bottom, left:right] = True
            continue
        # The point of each pixel that lies nearest to the centre.
        x, y = (x1 + x2) / 2, (y1 + y2) / 2
        columns, rows = np.arange(left, right), np.arange(top, bottom)
        across = (np.clip(x, columns, columns + 1) - x) / max((x2 - x1) / 2, 1e-9)
        down = (np.clip(y, rows, rows + 1) - y) / max((y2 - y1) / 2, 1e-9)
        mask[top:bottom, left:right] |= across**2 + down[:, None] ** 2 <= 1
    return mask
