"""Patterns that tile the plane: what walls, floors, things and cloth are covered with.

A pattern has two channels: how much of a second and of a third colour lies over the first. The bank holds many of them,
each a function of its number, made when it is first asked for, with smaller copies for what is far away.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

SIDE, LEVELS = 256, 6  # texels of a pattern's side, and how often it is halved
COUNT = 240
_BANK_SEED = 20
# Where each size begins in the flat row of a pattern.
STARTS = np.concatenate([[0], np.cumsum([(SIDE >> level) ** 2 for level in range(LEVELS)])]).astype(np.int32)

_Y, _X = np.meshgrid(np.arange(SIDE) / SIDE, np.arange(SIDE) / SIDE, indexing="ij")


def smooth(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Value noise that tiles: random numbers on a grid, interpolated smoothly.

    Args:
        rng: Source of all randomness.
        rows: Cells of the grid from top to bottom.
        columns: Cells from left to right.

    Returns:
        (SIDE, SIDE) 0..1.
    """
    grid = rng.random((rows, columns))
    for axis, cells in ((0, rows), (1, columns)):
        at = np.arange(SIDE) * cells / SIDE
        low = at.astype(int)
        part = at - low
        part = part * part * (3 - 2 * part)
        part = part[:, None] if axis == 0 else part[None]
        grid = np.take(grid, low, axis) * (1 - part) + np.take(grid, (low + 1) % cells, axis) * part
    return grid


def _clouds(rng: np.random.Generator, first: int = 2, octaves: int = 5, ratio: float = 0.6) -> np.ndarray:
    total = np.sum([ratio**k * smooth(rng, first << k, first << k) for k in range(octaves)], axis=0)
    return (total - total.min()) / np.ptp(total)


def _sharpened(values: np.ndarray, at: float, width: float) -> np.ndarray:
    return np.clip((values - at) / width + 0.5, 0, 1)


def _noise(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    first = int(rng.choice((1, 2, 4, 8, 16)))
    octaves = int(rng.integers(2, 6))
    pair = [_clouds(rng, first, min(octaves, 7 - first.bit_length()), rng.uniform(0.4, 0.9)) for _ in range(2)]
    width = rng.choice((0.05, 0.3, 1.0))
    return _sharpened(pair[0], 0.5, width), _sharpened(pair[1], rng.uniform(0.5, 0.8), width)


def _veins(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    ridge = [1 - 2 * np.abs(_clouds(rng, int(rng.integers(2, 6)), 4) - 0.5) for _ in range(2)]
    return ridge[0] ** rng.uniform(3, 20), ridge[1] ** 30


def _stripes(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    number, duty, soft = rng.integers(2, 26), rng.uniform(0.15, 0.7), rng.choice((0.05, 0.1, 0.6))
    warp = rng.choice((0.0, 0.0, 0.03, 0.15)) * _clouds(rng, 2, 3)
    phase = (_X * number + warp * number) % 1
    line = _sharpened(np.abs(phase - 0.5) * 2, 1 - duty, soft)
    third = (np.floor(_X * number + warp * number) % rng.integers(2, 5) == 0) * line
    return line, third * (rng.random() < 0.5)


def _checks(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    number, kind = int(rng.integers(2, 16)), rng.random()
    if kind < 0.3:
        return (np.floor(_X * 2 * number) + np.floor(_Y * 2 * number)) % 2, np.zeros_like(_X)
    duty, fine = rng.uniform(0.2, 0.6), rng.uniform(0.03, 0.12)
    across, down = ((axis * number % 1) < duty for axis in (_X, _Y))
    thin = (((_X * number + 0.35) % 1) < fine) | (((_Y * number + 0.35) % 1) < fine)
    return (across * 1.0 + down) / 2, thin * (kind < 0.75) * 1.0


def _dots(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    number = int(rng.integers(4, 40))
    jitter, radius = rng.uniform(0, 0.3), rng.uniform(0.1, 0.45)
    i, j = np.floor(_Y * number).astype(int) % number, np.floor(_X * number).astype(int) % number
    spot = rng.uniform(-jitter, jitter, (2, number, number))
    size = radius * rng.uniform(0.5, 1, (number, number)) * (rng.random((number, number)) < rng.uniform(0.4, 1))
    away = np.hypot(_Y * number - i - 0.5 - spot[0][i, j], _X * number - j - 0.5 - spot[1][i, j])
    inside = (away < size[i, j]) * 1.0
    other = rng.random((number, number)) < 0.4
    return inside, inside * other[i, j] * (rng.random() < 0.5)


def _wood(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    rings = smooth(rng, 2, 8) * rng.uniform(3, 9) + smooth(rng, 4, 64) * 0.6
    grain = 0.6 * (rings % 1) + 0.4 * smooth(rng, 4, 128)
    boards = int(rng.choice((1, 4, 8)))
    joint = (_X * boards % 1) < 0.02 * boards
    tone = rng.random(boards)[(_X * boards).astype(int)]
    return np.clip(grain + 0.3 * (tone - 0.5), 0, 1), joint * 1.0 * (boards > 1)


def _tiles(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    columns, rows = rng.integers(2, 16, 2)
    rows += rows % 2
    shift = rng.choice((0.0, 0.5)) * (np.floor(_Y * rows) % 2)
    across, down = (_X * columns + shift) % columns, _Y * rows
    thick = rng.uniform(0.02, 0.12)
    joint = ((across % 1) < thick) | ((down % 1) < thick * rows / columns)
    tone = rng.random((rows, columns))[down.astype(int) % rows, across.astype(int) % columns]
    return tone * rng.uniform(0.1, 1), joint * 1.0


def _paste(rng: np.random.Generator, number: int, least: float, most: float, oval: bool) -> np.ndarray:
    """Overlapping rectangles or ellipses of random tones."""
    shift = rng.integers(SIDE, size=(number, 2))
    half, tone = rng.uniform(least, most, (number, 2)) / 2, rng.random(number)
    canvas = np.zeros((SIDE, SIDE))
    for (down, right), (tall, wide), value in zip(shift, half * SIDE, tone, strict=True):
        y, x = np.arange(-int(tall) - 1, int(tall) + 2), np.arange(-int(wide) - 1, int(wide) + 2)
        inside = np.ones((len(y), len(x)), bool)
        if oval:
            inside = (y[:, None] / max(tall, 1)) ** 2 + (x[None] / max(wide, 1)) ** 2 <= 1
        rows, columns = np.meshgrid((y + down) % SIDE, (x + right) % SIDE, indexing="ij")
        canvas[rows[inside], columns[inside]] = value
    return canvas


def _panels(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    number = int(rng.integers(3, 60))
    most = rng.uniform(0.1, 0.6)
    return _paste(rng, number, 0.02, most, oval=False), _paste(rng, number // 2 + 1, 0.02, most, oval=False) > 0.6


def _blobs(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    number = int(rng.integers(3, 60))
    most = rng.uniform(0.1, 0.5)
    return _paste(rng, number, 0.03, most, oval=True), _paste(rng, number // 2 + 1, 0.03, most, oval=True) > 0.6


def _text(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Sheets of paper, posters, screens: lines of words in a frame, a headline, a picture."""
    ink, sheet = np.zeros((SIDE, SIDE)), np.zeros((SIDE, SIDE))
    for _ in range(int(rng.integers(1, 7))):
        top, left = rng.integers(0, SIDE - 60, 2)
        tall, wide = rng.integers(40, 150, 2)
        bottom, right = min(top + tall, SIDE - 4), min(left + wide, SIDE - 4)
        sheet[top:bottom, left:right], ink[top:bottom, left:right] = rng.uniform(0.6, 1), 0
        line = int(rng.integers(4, 14))
        for row in range(top + 4, bottom - line, line):
            column = left + 4
            while column < right - 8:
                word = int(rng.integers(3, 22))
                ink[row : row + max(1, line // 2), column : min(column + word, right - 4)] = 1
                column += word + 3 + (rng.random() < 0.1) * 30
    return sheet, ink


def _rack(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Fronts of devices: shelves of boxes with vents, buttons and displays."""
    front, bright = np.zeros((SIDE, SIDE)), np.zeros((SIDE, SIDE))
    top = 0
    while top < SIDE - 12:
        tall = min(int(rng.integers(12, 60)), SIDE - top)
        left = 0
        while left < SIDE - 12:
            wide = min(int(rng.integers(20, 160)), SIDE - left)
            front[top : top + tall, left : left + wide] = rng.random()
            front[top, left : left + wide] = front[top : top + tall, left] = 0
            kind = rng.random()
            if kind < 0.3:
                front[top + 3 : top + tall - 3 : 3, left + 4 : left + wide - 4] = 0
            elif kind < 0.75:
                for _ in range(int(rng.integers(1, 8))):
                    row, column = top + rng.integers(2, tall - 4), left + rng.integers(2, wide - 4)
                    bright[row : row + rng.integers(2, 9), column : column + rng.integers(2, 24)] = rng.random()
            left += wide
        top += tall
    return front, bright


def _folds(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A curtain."""
    number = int(rng.integers(5, 24))
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * (number * _X + rng.uniform(0.3, 1.5) * smooth(rng, 2, 6)))
    return wave ** rng.uniform(0.5, 3) * (0.5 + 0.5 * smooth(rng, 2, number)), _clouds(rng, 2, 3) ** 4


def _leaves(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Camouflage, flowers, prints."""
    first = int(rng.integers(3, 14))
    pair = [_clouds(rng, first, 2) for _ in range(2)]
    return _sharpened(pair[0], 0.52, 0.08), _sharpened(pair[1], 0.62, 0.08)


KINDS: dict[str, Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray]]] = {
    "noise": _noise,
    "veins": _veins,
    "stripes": _stripes,
    "checks": _checks,
    "dots": _dots,
    "wood": _wood,
    "tiles": _tiles,
    "panels": _panels,
    "blobs": _blobs,
    "text": _text,
    "rack": _rack,
    "folds": _folds,
    "leaves": _leaves,
}
_NAMES = tuple(KINDS)


def numbers_of(*kinds: str) -> np.ndarray:
    """The bank's numbers of patterns of some kinds.

    Args:
        *kinds: Of `KINDS`.

    Returns:
        Whole numbers below `COUNT`.
    """
    return np.concatenate([np.arange(_NAMES.index(kind), COUNT, len(_NAMES)) for kind in kinds])


@lru_cache(maxsize=COUNT)
def pattern(number: int) -> np.ndarray:
    """A pattern of the bank.

    Args:
        number: 0 to COUNT - 1; its kind is ``number % len(KINDS)``.

    Returns:
        (2, STARTS[-1]) uint8, the sizes one after the other, 255 = all of the colour.
    """
    rng = np.random.default_rng([_BANK_SEED, number])
    rows = []
    for channel in KINDS[_NAMES[number % len(_NAMES)]](rng):
        level = np.clip(np.asarray(channel, np.float32), 0, 1)
        sizes = [level]
        for _ in range(LEVELS - 1):
            level = 0.25 * (level[::2, ::2] + level[1::2, ::2] + level[::2, 1::2] + level[1::2, 1::2])
            sizes.append(level)
        rows.append(np.concatenate([size.ravel() for size in sizes]))
    return (np.array(rows) * 255 + 0.5).astype(np.uint8)


def look_up(numbers: np.ndarray, which: np.ndarray, u: np.ndarray, v: np.ndarray, texels: np.ndarray) -> np.ndarray:
    """Read patterns at places.

    Args:
        numbers: (P,) of the bank.
        which: (N,) row of `numbers` for each place.
        u: (N,) places along the pattern, which repeats at whole numbers.
        v: (N,) places across it.
        texels: (N,) width of what is seen at the place, in texels of the largest size.

    Returns:
        (2, N) float32, 0..1.
    """
    used = np.flatnonzero(np.bincount(which, minlength=len(numbers)))
    bank = np.stack([pattern(int(number)) for number in numbers[used]], axis=1)
    place = np.zeros(len(numbers), np.int32)
    place[used] = np.arange(len(used)) * STARTS[-1]
    level = np.clip(np.log2(np.maximum(texels, 1)).astype(np.int32), 0, LEVELS - 1)
    side = SIDE >> level
    column, row = ((part - np.floor(part)) * side for part in (u, v))
    column, row = np.minimum(column.astype(np.int32), side - 1), np.minimum(row.astype(np.int32), side - 1)
    flat = place[which] + STARTS[level] + row * side + column
    return bank.reshape(2, -1)[:, flat] * np.float32(1 / 255)
