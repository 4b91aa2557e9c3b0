"""People who were found twice: once with left and right as they are, once exchanged.

In a few pixels of depth a front looks much like a back. Where a network is of two minds, its maps have peaks of both
sides at one place, and a person is put together from each. No two people stand with most of their joints in one place.
"""

from __future__ import annotations

import numpy as np

# A person is a double if this share of the joints lie on a better person's, whatever their side.
_SHARE = 0.6


def without_doubles(keypoints: np.ndarray, scores: np.ndarray, joints: tuple[str, ...], reach: float) -> np.ndarray:
    """Which people to keep.

    Args:
        keypoints: (N, J, 2) places, NaN where a joint is missing.
        scores: (N,) the better of two has the higher one.
        joints: J names; ``left_`` and ``right_`` tell the sides.
        reach: Joints nearer than this are at one place; in parts of the better person's longer side.

    Returns:
        (N,) bool.
    """
    keep = np.ones(len(scores), dtype=bool)
    if len(scores) < 2 or reach <= 0:
        return keep
    kinds = np.array([joint.removeprefix("left_").removeprefix("right_") for joint in joints])
    alike = kinds[:, None] == kinds
    known = np.isfinite(keypoints[..., 0])
    low, high = np.nanmin(keypoints, axis=1), np.nanmax(keypoints, axis=1)
    extent = (high - low).max(axis=1)
    order = np.argsort(-scores, kind="stable")
    for place, worse in enumerate(order):
        for better in order[:place]:
            if not keep[better]:
                continue
            apart = np.linalg.norm(keypoints[worse][:, None] - keypoints[better], axis=-1)  # NaN is not near
            near = (alike & (apart < reach * extent[better])).any(axis=1).sum()
            if near >= _SHARE * known[worse].sum():
                keep[worse] = False
                break
    return keep
