"""What a fixed camera shows where nobody is: the median over the moments at which a pixel was not hidden."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from orplugins.privacy.hiding import blank

MOMENTS = 25  # are looked at, spread over the recording
_LEAST = 3  # moments at which a pixel must not have been hidden


def median_background(moments: Iterable[tuple[np.ndarray, np.ndarray]]) -> np.ndarray | None:
    """The background of a camera that does not move.

    A pixel that was hidden at nearly all moments stays blank: whoever lay still is not put into the background.

    Args:
        moments: Pictures (H, W, 3) uint8 or (H, W) uint16 of one size, and the masks (H, W) of whole people in them.

    Returns:
        As the pictures; None without any.
    """
    pictures, masks = [], []
    for picture, mask in moments:
        pictures.append(picture)
        masks.append(mask | (picture == 0) if picture.ndim == 2 else mask)  # a hole of a depth image is not measured
    if not pictures:
        return None
    stack, hidden = np.stack(pictures), np.stack(masks)
    hidden = hidden.reshape(hidden.shape + (1,) * (stack.ndim - 3))
    out = blank(pictures[0])
    for row in range(stack.shape[1]):  # a row at a time: all of it as float would be large
        values = np.ma.masked_array(stack[:, row], np.broadcast_to(hidden[:, row], stack[:, row].shape))
        middle = np.ma.median(values, axis=0).filled(0)
        enough = (~np.ma.getmaskarray(values)).sum(0) >= _LEAST
        out[row] = np.where(enough, np.rint(middle), out[row]).astype(out.dtype)
    return out


def spread(count: int, most: int = MOMENTS) -> set[int]:
    """Numbers of frames that are spread evenly over a recording.

    Args:
        count: Its frames.
        most: How many.
    """
    return set(np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int)).tolist()) if count else set()
