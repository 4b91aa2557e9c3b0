"""Many pictures on one sheet, each with a line of text and marked places: what is to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

_TILE, _LINE, _COLUMNS = 300, 16, 4


@dataclass(frozen=True, eq=False)
class Tile:
    """A picture of a sheet.

    Attributes:
        picture: (H, W, 3) uint8 BGR or (H, W) uint16 depth.
        text: The line above it.
        places: (K, 4) x1, y1, x2, y2 that are marked.
    """

    picture: np.ndarray
    text: str
    places: np.ndarray = field(default_factory=lambda: np.zeros((0, 4)))


def check_sheet(tiles: Sequence[Tile]) -> np.ndarray:
    """Put pictures on a sheet.

    Args:
        tiles: One or more.

    Returns:
        (H, W, 3) uint8 BGR.
    """
    from PIL import Image, ImageDraw

    drawn = [_drawn(tile) for tile in tiles]
    height = max(each.height for each in drawn) + _LINE
    rows = -(-len(drawn) // _COLUMNS)
    sheet = Image.new("RGB", (min(len(drawn), _COLUMNS) * (_TILE + 4), rows * (height + 4)), (255, 255, 255))
    pen = ImageDraw.Draw(sheet)
    for k, (tile, picture) in enumerate(zip(tiles, drawn, strict=True)):
        x, y = (k % _COLUMNS) * (_TILE + 4), (k // _COLUMNS) * (height + 4)
        pen.text((x + 2, y + 2), tile.text[:48], fill=(0, 0, 0))
        sheet.paste(picture, (x, y + _LINE))
    return np.ascontiguousarray(np.asarray(sheet)[:, :, ::-1])


def _drawn(tile: Tile):
    from PIL import Image, ImageDraw

    from orplugins.viz.colours import depth_colours

    rgb = depth_colours(tile.picture) if tile.picture.ndim == 2 else tile.picture[:, :, ::-1]
    scale = _TILE / rgb.shape[1]
    picture = Image.fromarray(np.ascontiguousarray(rgb)).resize((_TILE, max(1, round(rgb.shape[0] * scale))))
    pen = ImageDraw.Draw(picture)
    for place in tile.places * scale:
        low, high = place[:2].clip(0, None), np.minimum(place[2:], np.array(picture.size) - 1)
        if (high > low).all():
            pen.rectangle([*low.tolist(), *high.tolist()], outline=(255, 0, 160), width=2)
    return picture
