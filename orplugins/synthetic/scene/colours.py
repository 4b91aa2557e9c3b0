"""Colours at random: of anything, of skin, of hair, and of what theatres are full of."""

from __future__ import annotations

import colorsys

import numpy as np

# What is worn and what stands in theatres: light and dark blue, green, teal, violet, white, grey, black.
THEATRE_CLOTH = np.array(
    [
        (0.36, 0.52, 0.85),
        (0.20, 0.45, 0.62),
        (0.17, 0.48, 0.52),
        (0.33, 0.58, 0.72),
        (0.13, 0.38, 0.36),
        (0.08, 0.45, 0.28),
        (0.05, 0.06, 0.20),
        (0.10, 0.12, 0.35),
        (0.20, 0.10, 0.28),
        (0.70, 0.74, 0.80),
        (0.42, 0.60, 0.55),
        (0.16, 0.36, 0.52),
    ]
)
THEATRE_CAPS = np.array([(0.9, 0.9, 0.9), (0.8, 0.82, 0.8), (0.55, 0.7, 0.85), (0.2, 0.5, 0.45), (0.12, 0.3, 0.5)])
THEATRE_THINGS = np.array(
    [(0.9, 0.9, 0.86), (0.75, 0.76, 0.78), (0.4, 0.42, 0.45), (0.05, 0.05, 0.06), (0.12, 0.12, 0.14), (0.1, 0.35, 0.36)]
)
GLOVES = np.array(
    [(0.85, 0.83, 0.76), (0.45, 0.62, 0.85), (0.8, 0.8, 0.82), (0.35, 0.22, 0.5), (0.5, 0.12, 0.05), (0.15, 0.4, 0.25)]
)
MASKS = np.array([(0.72, 0.85, 0.9), (0.88, 0.88, 0.88), (0.4, 0.65, 0.6), (0.06, 0.06, 0.07), (0.5, 0.65, 0.85)])
# From light to dark, with the undertones that a person draws between.
_SKINS = np.array([(0.93, 0.76, 0.67), (0.86, 0.63, 0.49), (0.66, 0.43, 0.28), (0.40, 0.24, 0.15), (0.16, 0.09, 0.06)])
_HAIRS = np.array(
    [(0.02, 0.02, 0.02), (0.10, 0.06, 0.04), (0.25, 0.15, 0.08), (0.5, 0.36, 0.18), (0.4, 0.14, 0.05), (0.6, 0.6, 0.6)]
)


def any_colour(rng: np.random.Generator) -> np.ndarray:
    """Any colour: greys, muted and vivid ones, from black to white.

    Args:
        rng: Source of all randomness.

    Returns:
        (3,) 0..1.
    """
    kind, value = rng.random(), rng.uniform(0.02, 0.95)
    saturation = rng.uniform(0, 0.08) if kind < 0.27 else rng.uniform(0.08, 0.5) if kind < 0.6 else rng.uniform(0.5, 1)
    return np.array(colorsys.hsv_to_rgb(rng.random(), saturation, value))


def one_of(rng: np.random.Generator, palette: np.ndarray) -> np.ndarray:
    """A colour of a palette, lighter or darker and a little off.

    Args:
        rng: Source of all randomness.
        palette: (N, 3).

    Returns:
        (3,) 0..1.
    """
    colour = palette[rng.integers(len(palette))] * rng.uniform(0.7, 1.2) * rng.normal(1, 0.06, 3)
    return np.clip(colour, 0.01, 0.97)


def related(rng: np.random.Generator, colour: np.ndarray) -> np.ndarray:
    """A shade of a colour, or another colour altogether.

    Args:
        rng: Source of all randomness.
        colour: (3,).

    Returns:
        (3,) 0..1.
    """
    if rng.random() < 0.45:
        return any_colour(rng)
    return np.clip(colour * rng.uniform(0.4, 1.6) + rng.normal(0, 0.05, 3), 0.01, 0.97)


def skin_colour(rng: np.random.Generator) -> np.ndarray:
    """A skin tone of the whole range.

    Args:
        rng: Source of all randomness.

    Returns:
        (3,) 0..1.
    """
    at = rng.uniform(0, len(_SKINS) - 1)
    low = min(int(at), len(_SKINS) - 2)
    tone = _SKINS[low] + (at - low) * (_SKINS[low + 1] - _SKINS[low])
    return np.clip(tone * rng.uniform(0.85, 1.1) * rng.normal(1, 0.04, 3), 0.02, 0.97)


def hair_colour(rng: np.random.Generator) -> np.ndarray:
    """A colour of hair, seldom a dyed one.

    Args:
        rng: Source of all randomness.

    Returns:
        (3,) 0..1.
    """
    return any_colour(rng) if rng.random() < 0.06 else one_of(rng, _HAIRS)
