"""From a top-down network's maps to joints in pixels of its input: the one place where codecs and model files meet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orplugins.partial_body.udp import decode
from orplugins.partial_body.udp_batch import decode_batch

# How mmpose 1.x decodes, all maps at once; the others are mmpose 0.x's (`orplugins.partial_body.udp.DECODERS`).
BATCHED = "batched"


def joints_of_maps(
    heatmaps: np.ndarray, input_size: Sequence[int], how: str = BATCHED, blur: int = 11
) -> tuple[np.ndarray, np.ndarray]:
    """Joints of people.

    Args:
        heatmaps: (N, K, h, w).
        input_size: (width, height) of the network's input.
        how: ``"batched"``, or one of `orplugins.partial_body.udp.DECODERS`.
        blur: Odd size of the Gaussian kernel.

    Returns:
        (N, K, 2) in input pixels and scores (N, K).

    Raises:
        ValueError: Another `how`.
    """
    size = np.array(heatmaps.shape[:1:-1])
    if how == BATCHED:
        positions, scores = decode_batch(heatmaps, blur)
    else:
        found = [decode(maps, how, blur) for maps in heatmaps]
        positions = np.array([place for place, _ in found]).reshape(*heatmaps.shape[:2], 2)
        scores = np.array([score for _, score in found]).reshape(heatmaps.shape[:2])
    # Unbiased maps reach from centre to centre of their outer pixels, the plain ones from edge to edge.
    return positions / (size - (how in (BATCHED, "udp"))) * np.asarray(input_size), scores
