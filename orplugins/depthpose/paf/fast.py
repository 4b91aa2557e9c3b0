"""A PAF decoder that works at the network's resolution: no enlarged map is ever made.

Peaks are found on all channels at once and refined below a cell, all limb candidates of all limbs are scored in one
batch, and people are put together without the published quirks (lost, doubly counted and shared joints).
"""

from __future__ import annotations

import numpy as np

from orplugins.depthpose.paf.assemble import assemble_union
from orplugins.depthpose.paf.doubles import without_doubles
from orplugins.depthpose.paf.fragments import join_pieces
from orplugins.depthpose.paf.layout import DEPTHPOSE_LAYOUT, PafLayout
from orplugins.depthpose.paf.published import merge_flip
from orplugins.depthpose.paf.types import PafDecodeSettings, PafPoses, check_flip, check_maps, poses_from_rows
from orplugins.skeletons import OPENPOSE_18

# Peaks are looked for in heat - _SHARPEN * (its Laplacian): two people's joints two cells apart make one hump of the
# plain map and two of the sharpened one.
_SHARPEN = 0.5
# Peaks of diagonal cells that are refined to places nearer than this, in cells, are one joint.
_TWINS = 0.75
# Heatmap values below it are noise to the refinement, which takes logarithms.
_FLOOR = 0.01
# Negative second derivative of log heat in a Gaussian of the usual width, 0.875 cells.
_CURVATURE = 1 / 0.875**2


def _sharpened(heat: np.ndarray) -> np.ndarray:
    """The maps (C, h, w) less _SHARPEN times their Laplacian; border cells see themselves beyond the border."""
    sharp = (1 + 4 * _SHARPEN) * heat
    scaled = np.float32(_SHARPEN) * heat
    sharp[:, 1:] -= scaled[:, :-1]
    sharp[:, :-1] -= scaled[:, 1:]
    sharp[:, :, 1:] -= scaled[:, :, :-1]
    sharp[:, :, :-1] -= scaled[:, :, 1:]
    for border in (0, -1):
        sharp[:, border] -= scaled[:, border]
        sharp[:, :, border] -= scaled[:, :, border]
    return sharp


def _framed(maps: np.ndarray) -> np.ndarray:
    """(C, h, w) with one cell of -inf around, flat."""
    channels, height, width = maps.shape
    framed = np.full((channels, height + 2, width + 2), -np.inf, dtype=np.float32)
    framed[:, 1:-1, 1:-1] = maps
    return framed.ravel()


def find_peaks_fast(heat: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Joint candidates of heatmaps at their own resolution.

    A peak is above the threshold, and above its four neighbours in the sharpened map; of a flat top the first cell in
    reading order is one. Its place is refined with a Gaussian through three values of the plain map, along x and along
    y.

    Args:
        heat: (18, h, w) heatmaps.
        threshold: What a peak's value must exceed.

    Returns:
        xy (P, 2) float64 in cells, scores (P,) float64, types (P,) int64 ascending.
    """
    _, height, width = heat.shape
    row = width + 2
    plain, sharp = _framed(heat), _framed(_sharpened(heat))
    cells = np.flatnonzero(plain > np.float32(threshold))
    for step in (1, row):
        values = sharp[cells]
        cells = cells[(values > sharp[cells - step]) & (values >= sharp[cells + step])]
    around = plain[cells + np.array([[-1], [-row], [1], [row]])].reshape(2, 2, -1)
    centre = np.log(np.maximum(plain[cells], _FLOOR), dtype=np.float64)
    before, after = np.log(np.maximum(around, _FLOOR), dtype=np.float64)
    curvature = np.clip(2 * centre - before - after, 0.5 * _CURVATURE, 2 * _CURVATURE)
    offset = (after - before) / (2 * curvature)
    # At the border one neighbour is missing: the other one and the usual width tell where the peak is.
    no_before, no_after = np.isneginf(around)
    offset = np.where(no_before, 0.5 - (centre - after) / _CURVATURE, offset)
    offset = np.where(no_after, (centre - before) / _CURVATURE - 0.5, offset)
    types, position = np.divmod(cells, (height + 2) * row)
    y, x = np.divmod(position, row)
    xy = np.stack([x - 1, y - 1], axis=1) + np.clip(offset, -0.5, 0.5).T
    keep = _first_of_twins(cells, xy, sharp[cells], row)
    return xy[keep], plain[cells[keep]].astype(np.float64), types[keep]


def _first_of_twins(cells: np.ndarray, xy: np.ndarray, values: np.ndarray, row: int) -> np.ndarray:
    """Mask without the lower one of two diagonal neighbours that are one joint between four cells."""
    keep = np.ones(len(cells), dtype=bool)
    for diagonal in (row - 1, row + 1):
        twin = np.minimum(np.searchsorted(cells, cells + diagonal), len(cells) - 1)
        first = np.flatnonzero(cells[twin] == cells + diagonal)
        second = twin[first]
        near = np.abs(xy[first] - xy[second]).max(axis=1, initial=0) < _TWINS
        keep[np.where(values[first] >= values[second], second, first)[near]] = False
    return keep


def _candidate_pairs(types: np.ndarray, layout: PafLayout) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Limb, source peak and destination peak of every possible connection."""
    source, destination = layout.ends
    counts = np.bincount(types, minlength=len(layout.joints))
    first = np.cumsum(counts) - counts
    pairs = counts[source] * counts[destination]
    limb = np.repeat(np.arange(len(source)), pairs)
    number = np.arange(len(limb)) - np.repeat(np.cumsum(pairs) - pairs, pairs)
    i, j = np.divmod(number, counts[destination][limb])
    return limb, i + first[source[limb]], j + first[destination[limb]]


def score_limbs(
    paf: np.ndarray,
    limb: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
    settings: PafDecodeSettings,
    layout: PafLayout = DEPTHPOSE_LAYOUT,
) -> tuple[np.ndarray, np.ndarray]:
    """Mean field along limbs, less the penalty for those longer than half the map, and whether each is accepted.

    Source: Cao et al. 2017, equations 10 and 11.

    Args:
        paf: (C, h, w) part affinity fields.
        limb: (K,) positions in the layout's limbs.
        start: (K, 2) x, y in cells.
        end: (K, 2) x, y in cells.
        settings: Thresholds.
        layout: Of the maps.

    Returns:
        scores (K,) float64, accepted (K,) bool.
    """
    height, width = paf.shape[1:]
    difference = end - start
    length = np.sqrt(np.einsum("kc,kc->k", difference, difference)) + 1e-8
    unit = difference / length[:, None]
    steps = np.linspace(0.0, 1.0, settings.samples)
    x = np.clip(start[:, :1] + steps * difference[:, :1], 0, width - 1)
    y = np.clip(start[:, 1:] + steps * difference[:, 1:], 0, height - 1)
    x0, y0 = np.minimum(x.astype(np.int64), width - 2), np.minimum(y.astype(np.int64), height - 2)
    fx, fy = x - x0, y - y0
    cell = y0 * width + x0
    flat = paf.ravel()
    along = np.zeros(x.shape)
    for axis, channels in enumerate(layout.xy_channels):
        at = cell + channels[limb, None] * (height * width)
        top = flat[at] * (1 - fx) + flat[at + 1] * fx
        bottom = flat[at + width] * (1 - fx) + flat[at + width + 1] * fx
        along += (top + (bottom - top) * fy) * unit[:, axis : axis + 1]
    scores = along.mean(axis=1) + np.minimum(0.5 * height / length - 1, 0)
    above = (along > settings.paf_threshold).sum(axis=1)
    return scores, (above >= settings.min_samples_above) & (scores > 0)


def connect_fast(
    paf: np.ndarray,
    xy: np.ndarray,
    types: np.ndarray,
    settings: PafDecodeSettings,
    layout: PafLayout = DEPTHPOSE_LAYOUT,
) -> list[tuple[int, int, int, float]]:
    """Connections between peaks; no peak is used twice in one limb.

    Args:
        paf: (C, h, w) part affinity fields.
        xy: (P, 2) peaks in cells.
        types: (P,) their joint numbers, ascending.
        settings: Thresholds.
        layout: Of the maps.

    Returns:
        (limb, source peak, destination peak, score), the best first.
    """
    limb, i, j = _candidate_pairs(types, layout)
    on_field = xy + layout.field_shift
    scores, accepted = score_limbs(paf, limb, on_field[i], on_field[j], settings, layout)
    order = np.flatnonzero(accepted)
    order = order[np.argsort(-scores[order], kind="stable")]
    taken: set[tuple[int, int]] = set()
    connections = []
    for k, a, b, score in zip(*(v[order].tolist() for v in (limb, i, j, scores)), strict=True):
        if (k, a) not in taken and (k, b) not in taken:
            taken.update(((k, a), (k, b)))
            connections.append((k, a, b, score))
    return connections


def _joined(
    ids: np.ndarray, totals: np.ndarray, counters: np.ndarray, xy: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    groups = join_pieces(ids, xy)
    if len(groups) == len(ids):
        return ids, totals, counters
    # The pieces of a group share no joint, so the one that has a joint is the largest number.
    return (
        np.array([ids[group].max(axis=0) for group in groups]),
        np.array([totals[group].sum() for group in groups]),
        np.array([counters[group].sum() for group in groups]),
    )


def _once(
    ids: np.ndarray,
    totals: np.ndarray,
    counters: np.ndarray,
    xy: np.ndarray,
    settings: PafDecodeSettings,
    joints: tuple[str, ...],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if settings.doubles <= 0 or len(ids) < 2:
        return ids, totals, counters
    ids = np.asarray(ids, dtype=np.int64)
    places = np.where(ids[..., None] >= 0, xy[ids], np.nan)
    keep = without_doubles(places, totals * counters, joints, settings.doubles)
    return ids[keep], totals[keep], counters[keep]


def decode_fast(
    heat: np.ndarray,
    paf: np.ndarray,
    scale: float,
    flip_heat: np.ndarray | None = None,
    flip_paf: np.ndarray | None = None,
    settings: PafDecodeSettings | None = None,
) -> PafPoses:
    """People from network maps, quickly.

    Args:
        heat: (19, h, w) heatmaps at the network's resolution.
        paf: (38, h, w) part affinity fields.
        scale: Frame pixels per map cell.
        flip_heat: (19, h, w) heatmaps of the mirrored image, not mirrored back; with ``flip_paf`` or None.
        flip_paf: (38, h, w) fields of the mirrored image, not mirrored back; with ``flip_heat`` or None.
        settings: Thresholds; ``window`` has no meaning here.

    Returns:
        Poses at subpixel precision, pixel centres at whole numbers, inside the frame.

    Raises:
        ValueError: Wrong shapes, or values that are not finite.
    """
    settings = settings or PafDecodeSettings()
    heat, paf = check_maps(heat, paf)
    if check_flip(heat.shape, flip_heat, flip_paf):
        assert flip_heat is not None and flip_paf is not None
        heat, paf = merge_flip(heat, paf, *check_maps(flip_heat, flip_paf))
    height, width = heat.shape[1:]
    xy, scores, types = find_peaks_fast(DEPTHPOSE_LAYOUT.joint_maps(heat), settings.heatmap_threshold)
    connections = connect_fast(paf, xy, types, settings)
    ids, totals, counters = assemble_union(types, scores, connections, settings)
    ids, totals, counters = _joined(ids, totals, counters, xy)
    ids, totals, counters = _once(ids, totals, counters, xy, settings, OPENPOSE_18.joints)
    frame = np.clip((xy + 0.5) * scale - 0.5, 0, (width * scale - 1, height * scale - 1))
    return poses_from_rows(ids, totals, counters, frame, scores)


def decode_layout(
    heat: np.ndarray,
    paf: np.ndarray,
    frame_size: tuple[int, int],
    layout: PafLayout,
    settings: PafDecodeSettings | None = None,
) -> PafPoses:
    """People from the maps of any PAF network.

    Args:
        heat: (C, h, w) heatmaps.
        paf: (D, h, w) part affinity fields.
        frame_size: (width, height) of the frame that the maps cover.
        layout: What the channels are.
        settings: Thresholds; ``window`` has no meaning here.

    Returns:
        Poses in frame pixels; joints are the layout's, in its order.

    Raises:
        ValueError: Wrong shapes, or values that are not finite.
    """
    settings = settings or PafDecodeSettings()
    heat, paf = check_maps(heat, paf, layout)
    xy, scores, types = find_peaks_fast(layout.joint_maps(heat), settings.heatmap_threshold)
    connections = connect_fast(paf, xy, types, settings, layout)
    rows = assemble_union(types, scores, connections, settings, len(layout.joints))
    rows = _once(*rows, xy, settings, layout.joints)
    size = np.array(frame_size)
    frame = np.clip((xy + 0.5) * (size / heat.shape[:0:-1]) - 0.5, 0, size - 1)
    return poses_from_rows(*rows, frame, scores, np.arange(len(layout.joints)))
