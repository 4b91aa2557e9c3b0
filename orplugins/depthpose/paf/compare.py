"""How well a decoder finds people in generated scenes whose truth is known."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from orplugins.depthpose.paf.decode import DECODERS
from orplugins.depthpose.paf.scenes import PafScene
from orplugins.depthpose.paf.types import PafPoses

RADIUS, MIN_RADIUS = 0.1, 8.0  # of a person's extent; pixels
HALF_PIXEL = {"published": 0.5}


def count_matches(keypoints: np.ndarray, present: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Match decoded people with the true ones of whom they have most joints, one to one.

    Args:
        keypoints: (N, K, 2) decoded joints, pixels.
        present: (N, K) which of them were found.
        truth: (M, K, 3) x, y, visible.

    Returns:
        Numbers of true ``people`` and ``joints``; of people ``recalled`` (half of their joints at least) and
        ``false`` ones; of joints that are ``hits`` (within 10 % of the person's extent, at least 8 pixels) or ``wrong``
        (on another person); and the sum of the hits' ``error`` in pixels.
    """
    visible = truth[..., 2] > 0
    extent = np.array([np.ptp(joints[seen, :2], axis=0).max() for joints, seen in zip(truth, visible, strict=True)])
    distance = np.linalg.norm(keypoints[:, None] - truth[None, ..., :2], axis=-1)
    radius = np.maximum(RADIUS * extent, MIN_RADIUS)
    found = present[:, None] & visible[None] & (distance < radius[None, :, None])
    common = found.sum(axis=-1)
    counts = {"people": len(truth), "joints": int(visible.sum()), "recalled": 0, "hits": 0, "wrong": 0, "error": 0.0}
    while common.size and common.max() > 0:
        i, j = np.unravel_index(common.argmax(), common.shape)
        counts["recalled"] += int(common[i, j] >= 0.5 * visible[j].sum())
        counts["hits"] += int(common[i, j])
        counts["wrong"] += int((present[i] & ~found[i, j]).sum())
        counts["error"] += float(distance[i, j][found[i, j]].sum())
        common[i], common[:, j] = 0, 0
    counts["false"] = len(keypoints) - counts["recalled"]
    return counts


def measure_decoder(name: str, scenes: Sequence[PafScene]) -> dict[str, float]:
    """Decode scenes and average :func:`count_matches`.

    Args:
        name: One of `orplugins.depthpose.paf.DECODERS`.
        scenes: With one person each, or more.

    Returns:
        ``recall`` and ``pck`` (fractions), ``false`` and ``wrong`` (per scene), ``error_px`` (mean pixels of the hits,
        without the half pixel that 'published' adds), ``median_ms`` (a scene).
    """
    total: dict[str, float] = {}
    seconds = []
    for scene in scenes:
        start = time.perf_counter()
        poses: PafPoses = DECODERS[name](scene.heat, scene.paf, scene.scale, scene.flip_heat, scene.flip_paf)
        seconds.append(time.perf_counter() - start)
        keypoints = poses.keypoints - HALF_PIXEL.get(name, 0.0)
        for key, value in count_matches(keypoints, poses.keypoint_scores > 0, scene.keypoints).items():
            total[key] = total.get(key, 0) + value
    return {
        "recall": total["recalled"] / total["people"],
        "false": total["false"] / len(scenes),
        "pck": total["hits"] / total["joints"],
        "wrong": total["wrong"] / len(scenes),
        "error_px": total["error"] / max(total["hits"], 1),
        "median_ms": float(np.median(seconds)) * 1e3,
    }
