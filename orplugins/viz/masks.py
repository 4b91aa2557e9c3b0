"""People's masks on an image."""

from __future__ import annotations

import numpy as np

from orplugins.viz.colours import person_colour


def tint_people(image: np.ndarray, masks: np.ndarray, strength: float = 0.45) -> np.ndarray:
    """A copy of an image in which every person has a colour of its own.

    Args:
        image: (H, W, 3) uint8 BGR.
        masks: (N, H, W) bool; later ones cover earlier ones.
        strength: Share of the colour.

    Returns:
        (H, W, 3) uint8 BGR.
    """
    out = image.astype(np.float32)
    for number, mask in enumerate(np.asarray(masks, dtype=bool)):
        colour = np.array(person_colour(number)[::-1], dtype=np.float32)
        out[mask] = (1 - strength) * image[mask] + strength * colour
    return out.round().astype(np.uint8)
