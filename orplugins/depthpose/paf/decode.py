"""One entry point to the decoders."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from orplugins.depthpose.paf.fast import decode_fast
from orplugins.depthpose.paf.published import decode_published
from orplugins.depthpose.paf.types import PafDecodeSettings, PafPoses

DECODERS = {"published": decode_published, "fast": decode_fast}


def decode_pafs(
    heat: np.ndarray,
    paf: np.ndarray,
    scale: int,
    flip_heat: np.ndarray | None = None,
    flip_paf: np.ndarray | None = None,
    decode: str = "fast",
    settings: PafDecodeSettings | None = None,
) -> PafPoses:
    """People from heatmaps and part affinity fields.

    Args:
        heat: (19, h, w) heatmaps at the network's resolution.
        paf: (38, h, w) part affinity fields.
        scale: Frame pixels per map cell.
        flip_heat: (19, h, w) heatmaps of the mirrored image, not mirrored back; with ``flip_paf`` or None.
        flip_paf: (38, h, w) fields of the mirrored image, not mirrored back; with ``flip_heat`` or None.
        decode: 'fast' (fifty to eighty times quicker and more accurate on generated scenes, see
            ``tools/compare_decoders.py``) or 'published', for the published numbers; 'published' keypoints are half a
            pixel to the lower right of 'fast' ones.
        settings: Thresholds; None: the defaults.

    Returns:
        Poses in frame pixels.

    Raises:
        ValueError: Unknown decoder, wrong shapes, or values that are not finite.
    """
    if decode not in DECODERS:
        raise ValueError(f"decode: found {decode!r}, expected one of {', '.join(map(repr, DECODERS))}")
    return DECODERS[decode](heat, paf, scale, flip_heat, flip_paf, settings)


def decode_in_input(
    heat: np.ndarray,
    paf: np.ndarray,
    input_size: tuple[int, int],
    scale: int,
    decode: str = "fast",
    settings: PafDecodeSettings | None = None,
) -> PafPoses:
    """People in pixels of the network's input.

    Args:
        heat: (19, h, w) heatmaps.
        paf: (38, h, w) part affinity fields.
        input_size: (width, height) of the network's input.
        scale: Enlargement of the maps before published decoding; 'fast' only counts its pixels by it.
        decode: See `decode_pafs`.
        settings: See `decode_pafs`.

    Returns:
        The people.

    Raises:
        ValueError: See `decode_pafs`.
    """
    poses = decode_pafs(heat, paf, scale=scale, decode=decode, settings=settings)
    cells = np.array(np.shape(heat)[:0:-1], dtype=np.float64)
    return replace(poses, keypoints=(poses.keypoints / (cells / input_size * scale)).astype(np.float32))
