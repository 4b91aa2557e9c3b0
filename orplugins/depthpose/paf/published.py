"""The published DepthPose decoding (Srivastav et al., MICCAI 2019), step by step and with all its quirks.

Its numbers depend on these quirks, so they are kept as they are; ``fast.py`` is the decoder without them. Written to be
read, not to be quick. Frame = the maps enlarged ``scale`` times.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from orplugins.depthpose.paf.assemble import assemble_published
from orplugins.depthpose.paf.layout import (
    HEAT_FLIP,
    LIMB_PAF_CHANNELS,
    LIMBS,
    NUM_JOINTS,
    PAF_FLIP,
    PAF_FLIP_SIGNS,
)
from orplugins.depthpose.paf.types import PafDecodeSettings, PafPoses, check_flip, check_maps, poses_from_rows


@dataclass(frozen=True)
class Peaks:
    """Joint candidates of all channels; a candidate's id is its position.

    Attributes:
        xy: (P, 2) int64 x, y in enlarged pixels.
        scores: (P,) float64 heatmap values there.
        types: (P,) int64 joint numbers, ascending.
    """

    xy: np.ndarray
    scores: np.ndarray
    types: np.ndarray


Connection = tuple[int, int, float]
"""(id of the source peak, id of the destination peak, limb score)."""


def enlarge(maps: np.ndarray, scale: int) -> np.ndarray:
    """Bicubic enlargement, a = -0.75, borders replicated, no antialiasing.

    OpenCV does it where it is installed, two matrix products otherwise; they agree within 1e-6 on map-like data.

    Args:
        maps: (C, h, w).
        scale: Factor of both sides.

    Returns:
        (C, h * scale, w * scale) float32.
    """
    maps = np.asarray(maps, dtype=np.float32)
    height, width = maps.shape[1] * scale, maps.shape[2] * scale
    try:
        import cv2
    except ImportError:
        return _cubic(maps.shape[1], scale) @ maps @ _cubic(maps.shape[2], scale).T
    return np.stack([cv2.resize(m, (width, height), interpolation=cv2.INTER_CUBIC) for m in maps])


@lru_cache(maxsize=8)
def _cubic(length: int, scale: int) -> np.ndarray:
    """(length * scale, length) weights of bicubic enlargement along an axis (Keys 1981, a = -0.75)."""
    place = (np.arange(length * scale) + 0.5) / scale - 0.5
    first = np.floor(place).astype(int)
    weights = np.zeros((length * scale, length))
    for step in range(-1, 3):
        x = np.abs(place - first - step)
        near, far = (1.25 * x - 2.25) * x * x + 1, ((-0.75 * x + 3.75) * x - 6) * x + 3
        np.add.at(weights, (np.arange(len(x)), np.clip(first + step, 0, length - 1)), np.where(x <= 1, near, far))
    return weights.astype(np.float32)


def merge_flip(
    heat: np.ndarray, paf: np.ndarray, flip_heat: np.ndarray, flip_paf: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean of an image's maps and those of the mirrored image, mirrored back.

    Left and right joints and limbs change places and x components of the fields change sign.

    Args:
        heat: (C, h, w) heatmaps of the image, at any resolution.
        paf: (C, h, w) its part affinity fields.
        flip_heat: (C, h, w) heatmaps of the mirrored image.
        flip_paf: (C, h, w) its part affinity fields.

    Returns:
        Heatmaps and fields of the image.
    """
    heat = (heat + flip_heat[HEAT_FLIP, :, ::-1]) / 2
    paf = (paf + flip_paf[PAF_FLIP, :, ::-1] * PAF_FLIP_SIGNS[:, None, None]) / 2
    return heat, paf


def _channel_peaks(heat: np.ndarray, settings: PafDecodeSettings) -> list[tuple[int, int, float]]:
    height, width = heat.shape
    padded = np.pad(heat, 1, mode="edge")
    # Four neighbours, not eight, and >=: a flat top gives a peak for each of its pixels.
    is_peak = heat > np.float32(settings.heatmap_threshold)
    for dy, dx in ((0, 1), (2, 1), (1, 0), (1, 2)):
        is_peak &= heat >= padded[dy : dy + height, dx : dx + width]
    peaks = []
    for y, x in np.argwhere(is_peak):
        # The move keeps peaks apart by number but not by place: a weaker one next to a stronger one lands on it.
        x0, y0 = max(0, x - settings.window), max(0, y - settings.window)
        patch = heat[y0 : y + settings.window + 1, x0 : x + settings.window + 1]
        row, column = np.unravel_index(np.argmax(patch), patch.shape)
        peaks.append((int(x0 + column), int(y0 + row), float(patch[row, column])))
    return peaks


def find_peaks_published(heat: np.ndarray, settings: PafDecodeSettings | None = None) -> Peaks:
    """Joint candidates of enlarged heatmaps.

    Args:
        heat: (C, H, W), of which the first 18 channels are searched.
        settings: Thresholds; None: the defaults.

    Returns:
        Candidates ordered by channel, y, x.
    """
    settings = settings or PafDecodeSettings()
    found = [(*peak, joint) for joint, m in enumerate(heat[:NUM_JOINTS]) for peak in _channel_peaks(m, settings)]
    table = np.array(found, dtype=np.float64).reshape(-1, 4)
    return Peaks(table[:, :2].astype(np.int64), table[:, 2], table[:, 3].astype(np.int64))


def _limb_connections(
    field_x: np.ndarray,
    field_y: np.ndarray,
    peaks: Peaks,
    sources: np.ndarray,
    destinations: np.ndarray,
    settings: PafDecodeSettings,
) -> list[Connection]:
    height = field_x.shape[0]
    steps = np.arange(settings.samples) / (settings.samples - 1)
    candidates = []
    for i in sources:
        for j in destinations:
            start, difference = peaks.xy[i], peaks.xy[j] - peaks.xy[i]
            length = float(np.sqrt((difference**2).sum())) + 1e-8
            unit = difference / length
            x, y = np.rint(start[:, None] + steps * difference[:, None]).astype(np.int64)
            along = field_x[y, x] * unit[0] + field_y[y, x] * unit[1]
            # Limbs longer than half the frame's height are penalised.
            score = along.mean() + min(0.5 * height / length - 1, 0)
            if (along > settings.paf_threshold).sum() >= settings.min_samples_above and score > 0:
                candidates.append((int(i), int(j), float(score)))
    # The sort is stable: ties stay in the order (i, j). Peak scores play no part.
    candidates.sort(key=lambda candidate: -candidate[2])
    taken: set[int] = set()
    connections = []
    for i, j, score in candidates:
        if i not in taken and j not in taken:
            connections.append((i, j, score))
            taken.update((i, j))
    return connections


def connect_published(
    paf: np.ndarray, peaks: Peaks, settings: PafDecodeSettings | None = None
) -> list[list[Connection]]:
    """Connections between joint candidates.

    Args:
        paf: (38, H, W) enlarged part affinity fields.
        peaks: The candidates.
        settings: Thresholds; None: the defaults.

    Returns:
        Connections of each of the 19 limbs in decoding order.
    """
    settings = settings or PafDecodeSettings()
    ids = [np.flatnonzero(peaks.types == joint) for joint in range(NUM_JOINTS)]
    return [
        _limb_connections(paf[cx], paf[cy], peaks, ids[a], ids[b], settings)
        for (a, b), (cx, cy) in zip(LIMBS, LIMB_PAF_CHANNELS, strict=True)
    ]


def enlarged_maps(
    heat: np.ndarray,
    paf: np.ndarray,
    scale: int,
    flip_heat: np.ndarray | None = None,
    flip_paf: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Network maps brought to the frame and, with a mirrored pair, averaged there (in this order, as published).

    Args:
        heat: (19, h, w) heatmaps at the network's resolution.
        paf: (38, h, w) part affinity fields.
        scale: Whole factor from map cells to frame pixels.
        flip_heat: (19, h, w) heatmaps of the mirrored image, not mirrored back; with ``flip_paf`` or None.
        flip_paf: (38, h, w) fields of the mirrored image, not mirrored back; with ``flip_heat`` or None.

    Returns:
        Heatmaps (19, H, W) and fields (38, H, W).

    Raises:
        ValueError: Wrong shapes, or values that are not finite.
    """
    heat, paf = check_maps(heat, paf)
    maps = enlarge(heat, scale), enlarge(paf, scale)
    if check_flip(heat.shape, flip_heat, flip_paf):
        assert flip_heat is not None and flip_paf is not None
        flip_heat, flip_paf = check_maps(flip_heat, flip_paf)
        maps = merge_flip(*maps, enlarge(flip_heat, scale), enlarge(flip_paf, scale))
    return maps


def decode_published(
    heat: np.ndarray,
    paf: np.ndarray,
    scale: int,
    flip_heat: np.ndarray | None = None,
    flip_paf: np.ndarray | None = None,
    settings: PafDecodeSettings | None = None,
) -> PafPoses:
    """People from network maps exactly as published.

    Args:
        heat: (19, h, w) heatmaps at the network's resolution.
        paf: (38, h, w) part affinity fields.
        scale: Whole factor from map cells to frame pixels (10 for 64x48 maps in a 640x480 frame).
        flip_heat: (19, h, w) heatmaps of the mirrored image, not mirrored back; with ``flip_paf`` or None.
        flip_paf: (38, h, w) fields of the mirrored image, not mirrored back; with ``flip_heat`` or None.
        settings: Thresholds; None: the defaults.

    Returns:
        Poses with half a pixel added to both coordinates, which belongs to the published numbers: pixel centres lie at
        (0.5, 0.5) here.

    Raises:
        ValueError: Wrong shapes, or values that are not finite.
    """
    settings = settings or PafDecodeSettings()
    heat, paf = enlarged_maps(heat, paf, scale, flip_heat, flip_paf)
    peaks = find_peaks_published(heat, settings)
    connections = connect_published(paf, peaks, settings)
    rows = assemble_published(peaks.scores, connections, settings)
    return poses_from_rows(rows[:, :NUM_JOINTS], rows[:, -2], rows[:, -1], peaks.xy + 0.5, peaks.scores)
