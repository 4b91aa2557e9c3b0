"""How a strong view differs from a weak one in its pixels: colour operations in pairs, holes, a low resolution.

Random numbers are drawn from `random` and `numpy.random` in the published order, so that a seeded run gives the
published pictures. Nothing here moves a pixel: labels of a view stay those of the picture.
"""

from __future__ import annotations

import random

import numpy as np

PROBABILITY = 0.5  # of each operation of a pair
MAGNITUDES = range(1, 10)
_BITS = (8, 7, 7, 6, 6, 5, 5, 4, 4)  # that posterize leaves, by magnitude
_HOLES, _SIDES, _GREY = (2, 16), (40, 80), (125, 122, 113)

# In the published order.
OPERATIONS = (
    "Invert",
    "Sharpness",
    "AutoContrast",
    "Posterize",
    "Equalize",
    "Contrast",
    "Color",
    "Solarize",
    "Brightness",
)
_SIGNED = {"Sharpness", "Contrast", "Color", "Brightness"}
SINGLE = tuple((name, magnitude) for name in OPERATIONS for magnitude in MAGNITUDES)


def policy(index: int) -> tuple[tuple[str, int], tuple[str, int]]:
    """One of the 81 x 81 ordered pairs of (operation, magnitude).

    Args:
        index: 81 times the first one's place in `SINGLE` plus the second one's.

    Returns:
        The pair.
    """
    return SINGLE[index // len(SINGLE)], SINGLE[index % len(SINGLE)]


def apply_operation(picture: np.ndarray, name: str, magnitude: int, sign: int = 1) -> np.ndarray:
    """Carry out one operation.

    Args:
        picture: (H, W, 3) uint8 RGB.
        name: One of `OPERATIONS`.
        magnitude: 1 to 9.
        sign: -1 or 1; for sharpness, contrast, colour and brightness.

    Returns:
        The changed picture.
    """
    from PIL import Image, ImageEnhance, ImageOps

    image = Image.fromarray(picture)
    if name in _SIGNED:
        image = getattr(ImageEnhance, name)(image).enhance(1.0 + 0.1 * magnitude * sign)
    elif name == "Posterize":
        image = ImageOps.posterize(image, _BITS[magnitude - 1])
    elif name == "Solarize":
        image = ImageOps.solarize(image, -(-256 * (9 - magnitude) // 9))
    else:
        image = getattr(ImageOps, name.lower())(image)  # those without a magnitude
    return np.asarray(image)


def random_pair(picture: np.ndarray) -> np.ndarray:
    """Draw a pair of operations and carry out each with probability 0.5.

    Args:
        picture: (H, W, 3) uint8 RGB.

    Returns:
        The changed picture.
    """
    for name, magnitude in policy(random.randint(0, len(SINGLE) ** 2 - 1)):
        if random.random() < PROBABILITY:
            sign = random.choice([-1, 1]) if name in _SIGNED else 1
            picture = apply_operation(picture, name, magnitude, sign)
    return picture


def cut_out(picture: np.ndarray) -> np.ndarray:
    """Cover 2 to 15 squares of 40 to 79 pixels with grey, whatever the picture's size.

    Args:
        picture: (H, W, 3) uint8 RGB.

    Returns:
        A copy with holes.
    """
    from PIL import Image, ImageDraw

    height, width = picture.shape[:2]
    covered = Image.fromarray(picture).copy()
    pen = ImageDraw.Draw(covered)
    for _ in range(np.random.randint(*_HOLES)):
        half = np.random.randint(*_SIDES) // 2
        x, y = np.random.randint(0, width), np.random.randint(0, height)
        corner = min(width, x + half) - 1, min(height, y + half) - 1
        pen.rectangle([max(0, x - half), max(0, y - half), *corner], fill=_GREY)
    return np.asarray(covered)


def random_augment(picture: np.ndarray, holes: bool) -> np.ndarray:
    """A pair of operations, then holes.

    Args:
        picture: (H, W, 3) uint8 RGB.
        holes: See `cut_out`.

    Returns:
        The changed picture.
    """
    picture = random_pair(picture)
    return cut_out(picture) if holes else picture


def reduce_and_enlarge(picture: np.ndarray, factor: float) -> np.ndarray:
    """What a camera of a lower resolution would have seen, in the picture's own size.

    Args:
        picture: (H, W, 3) uint8.
        factor: How many times smaller each side is, cut off to whole pixels; 1 or more.

    Returns:
        (H, W, 3) uint8.
    """
    from PIL import Image

    height, width = picture.shape[:2]
    low = max(int(width / factor), 1), max(int(height / factor), 1)
    small = Image.fromarray(picture).resize(low, Image.Resampling.BILINEAR)
    return np.asarray(small.resize((width, height), Image.Resampling.BILINEAR))


def random_low_resolution(picture: np.ndarray, factors: tuple[float, float]) -> np.ndarray:
    """Reduce and enlarge a picture by a random real factor.

    Args:
        picture: (H, W, 3) uint8.
        factors: Least and greatest.

    Returns:
        (H, W, 3) uint8.
    """
    return reduce_and_enlarge(picture, random.uniform(*factors))


ROOM_FACTORS, OTHER_FACTORS = (1.0, 12.0), (1.0, 4.0)


def factors_of_path(path: str) -> tuple[float, float]:
    """The published rule for how far a picture is reduced: by its path, capitals matter.

    Args:
        path: Its file.

    Returns:
        Least and greatest factor: 1 to 12 for pictures of MVOR or TUM-OR, 1 to 4 for all others.
    """
    return ROOM_FACTORS if "mvor_dataset" in path or "TUM_OR" in path else OTHER_FACTORS
