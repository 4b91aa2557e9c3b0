"""Boxes, warps and heatmap decoding of top-down networks, as mmpose 0.x did them.

Unbiased data processing (Huang et al., CVPR 2020): images and maps are measured between the centres of their outer
pixels, so that a map of width w and an input of width W have the ratio (w - 1) / (W - 1). Distribution-aware decoding
(Zhang et al., CVPR 2020): one Newton step on the logarithm of the blurred map.
"""

from __future__ import annotations

import numpy as np

from orplugins.partial_body.blur import band

_EPS = np.finfo(np.float32).eps
_LEAST, _MOST = 1e-3, 50.0
DECODERS = ("udp", "quarter", "argmax")


def peaks(heatmaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Maxima of maps.

    Args:
        heatmaps: (..., h, w).

    Returns:
        Integer positions (..., 2) x, y as float64, (-1, -1) for a map without a positive value; and their values (...).
    """
    flat = heatmaps.reshape(*heatmaps.shape[:-2], heatmaps.shape[-2] * heatmaps.shape[-1])
    best = flat.argmax(-1)
    scores = np.take_along_axis(flat, best[..., None], -1)[..., 0]
    positions = np.stack([best % heatmaps.shape[-1], best // heatmaps.shape[-1]], -1).astype(np.float64)
    positions[scores <= 0] = -1
    return positions, scores


def decode(heatmaps: np.ndarray, how: str = "udp", blur: int = 11) -> tuple[np.ndarray, np.ndarray]:
    """Joints of maps, as published with mmpose 0.x.

    Args:
        heatmaps: (K, h, w) float maps; they are not changed.
        how: ``"udp"`` (Newton step on blurred maps: unlike mmpose 1.x with a mirrored border and without bringing the
            blurred map back to its former height), ``"quarter"`` (a quarter pixel towards the higher neighbour) or
            ``"argmax"``.
        blur: Odd size of the Gaussian kernel.

    Returns:
        Positions (K, 2) in map pixels and scores (K,).

    Raises:
        ValueError: Another ``how``.
    """
    if how not in DECODERS:
        raise ValueError(f"decode: how is {how!r}, expected one of {', '.join(DECODERS)}")
    positions, scores = peaks(heatmaps)
    if how == "udp":
        positions = positions + _newton_steps(heatmaps, positions, scores, blur)
    elif how == "quarter":
        positions = positions + _quarter_steps(heatmaps, positions)
    return positions, scores


def _newton_steps(heatmaps: np.ndarray, positions: np.ndarray, scores: np.ndarray, blur: int) -> np.ndarray:
    found = np.flatnonzero(scores > 0)  # elsewhere the clipped map is flat
    steps = np.zeros_like(positions)
    if not len(found):
        return steps
    down, across = (band(side, blur, "mirror") for side in heatmaps.shape[-2:])
    logs = down @ heatmaps[found].astype(np.float32) @ across.T
    logs = np.log(np.clip(logs, _LEAST, _MOST))
    logs = np.pad(logs, ((0, 0), (1, 1), (1, 1)), mode="edge").astype(np.float64)
    x, y = (positions[found].astype(int) + 1).T
    maps = np.arange(len(found))

    def at(dx: int, dy: int) -> np.ndarray:
        return logs[maps, y + dy, x + dx]

    gradient = np.stack([at(1, 0) - at(-1, 0), at(0, 1) - at(0, -1)], -1) / 2
    dxx = at(1, 0) - 2 * at(0, 0) + at(-1, 0)
    dyy = at(0, 1) - 2 * at(0, 0) + at(0, -1)
    dxy = (at(1, 1) - at(1, 0) - at(0, 1) + 2 * at(0, 0) - at(-1, 0) - at(0, -1) + at(-1, -1)) / 2
    hessian = np.stack([dxx + _EPS, dxy, dxy, dyy + _EPS], -1).reshape(-1, 2, 2)
    steps[found] = -np.linalg.solve(hessian, gradient[..., None])[..., 0]
    return steps


def _quarter_steps(heatmaps: np.ndarray, positions: np.ndarray) -> np.ndarray:
    height, width = heatmaps.shape[-2:]
    x, y = positions.astype(int).T
    inner = (x > 1) & (x < width - 1) & (y > 1) & (y < height - 1)
    x, y, maps = x[inner], y[inner], np.flatnonzero(inner)
    steps = np.zeros_like(positions)
    steps[inner, 0] = np.sign(heatmaps[maps, y, x + 1] - heatmaps[maps, y, x - 1]) / 4
    steps[inner, 1] = np.sign(heatmaps[maps, y + 1, x] - heatmaps[maps, y - 1, x]) / 4
    return steps


def published_boxes(boxes: np.ndarray) -> np.ndarray:
    """Boxes as mmpose 0.x understood them at inference: the last pixel belongs to the box.

    Args:
        boxes: (N, 4) x1, y1, x2, y2.

    Returns:
        (N, 4), one pixel wider and higher.
    """
    return np.asarray(boxes) + np.array([0, 0, 1, 1], dtype=np.asarray(boxes).dtype)


def half_body_ids(visible: np.ndarray, upper: tuple[int, ...], prefer_upper: bool, least: int = 3) -> np.ndarray | None:
    """The joints that mmpose 0.x's half-body crop is made of.

    Args:
        visible: (K,) above 0 where a joint is labelled.
        upper: Joints of the upper half; all others are the lower half.
        prefer_upper: Take the upper half where both are possible (drawn with probability 0.691).
        least: Minimum number of joints of a half; where neither has them the upper half is taken, which needs 2.

    Returns:
        Indices of the joints, or None where a person is left as it is.
    """
    ids = np.flatnonzero(np.asarray(visible) > 0)
    is_upper = np.isin(ids, upper)
    above, below = ids[is_upper], ids[~is_upper]
    if prefer_upper and len(above) >= least:
        chosen = above
    else:
        chosen = below if len(below) >= least else above
    return chosen if len(chosen) >= 2 else None
