"""What both PAF decoders share: thresholds, input checks and the form of the answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orplugins.depthpose.paf.layout import COCO_FROM_OPENPOSE, DEPTHPOSE_LAYOUT, PafLayout


@dataclass(frozen=True)
class PafDecodeSettings:
    """Thresholds of the decoders; the defaults are the published ones of DepthPose.

    Attributes:
        heatmap_threshold: A peak's heatmap value must be above it.
        paf_threshold: A sample on a limb counts if its PAF component along the limb is above it.
        samples: Samples on a limb, its end points included.
        min_samples_above: Minimum number of samples that count. (The published code's comment says 80 %, its test
            90 %.)
        window: Half-width in enlarged pixels of the window in which the published decoder moves a peak to the maximum.
        min_joints: People with fewer joints are dropped.
        min_mean_score: People with a smaller (sum of joint and limb scores) / joints are dropped.
        doubles: People most of whose joints, whatever their side, are nearer than this to those of a better one, in
            parts of its longer side, are dropped by the fast decoder; 0 keeps them, as published.
    """

    heatmap_threshold: float = 0.1
    paf_threshold: float = 0.05
    samples: int = 10
    min_samples_above: int = 9
    window: int = 2
    min_joints: int = 3
    min_mean_score: float = 0.2
    doubles: float = 0.0


@dataclass(frozen=True)
class PafPoses:
    """People of one image, in COCO joint order (of `fast.decode_layout` in the layout's, K joints).

    Attributes:
        keypoints: (N, 17, 2) float32 x, y in frame pixels; (0, 0) where a joint is missing.
        keypoint_scores: (N, 17) float32 heatmap values at the peaks; 0 where a joint is missing.
        scores: (N,) float64 (sum of joint and limb scores) * (number of joints): ranks people, is no probability.
    """

    keypoints: np.ndarray
    keypoint_scores: np.ndarray
    scores: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)


def poses_from_rows(
    ids: np.ndarray,
    totals: np.ndarray,
    counters: np.ndarray,
    xy: np.ndarray,
    scores: np.ndarray,
    joints: np.ndarray = COCO_FROM_OPENPOSE,
) -> PafPoses:
    """Look up the joints of people.

    Args:
        ids: (N, K) peak numbers, -1 where a joint is missing.
        totals: (N,) sums of joint and limb scores.
        counters: (N,) numbers of joints.
        xy: (P, 2) frame positions of the peaks.
        scores: (P,) heatmap values of the peaks.
        joints: Which of the K joints are wanted; the default takes COCO's of OpenPose-18.

    Returns:
        The people.
    """
    ids = np.asarray(ids, dtype=np.int64)[:, joints]
    # One more, empty peak for the missing joints: index -1 finds it.
    xy = np.concatenate([np.asarray(xy, np.float32).reshape(-1, 2), np.zeros((1, 2), np.float32)])
    scores = np.append(np.asarray(scores, np.float32), np.float32(0.0))
    return PafPoses(xy[ids], scores[ids], np.asarray(totals, np.float64) * np.asarray(counters, np.float64))


def check_maps(
    heat: np.ndarray, paf: np.ndarray, layout: PafLayout = DEPTHPOSE_LAYOUT
) -> tuple[np.ndarray, np.ndarray]:
    """Check the maps of a network.

    Args:
        heat: (19, h, w) heatmaps.
        paf: (38, h, w) part affinity fields.
        layout: What the channels are, and so how many there must be.

    Returns:
        The same as finite float32 arrays.

    Raises:
        ValueError: Wrong number of dimensions or channels, different sizes, or a value that is not finite.
    """
    heat, paf = np.asarray(heat, dtype=np.float32), np.asarray(paf, dtype=np.float32)
    for name, maps, channels in (("heat", heat, layout.num_heatmaps), ("paf", paf, layout.num_fields)):
        if maps.ndim != 3 or maps.shape[0] != channels:
            raise ValueError(f"{name}: found shape {maps.shape}, expected ({channels}, height, width)")
        if not np.isfinite(maps).all():
            bad = np.argwhere(~np.isfinite(maps))
            raise ValueError(
                f"{name}: found {len(bad)} values that are not finite, the first at {tuple(map(int, bad[0]))} "
                "(channel, y, x), expected none"
            )
    if heat.shape[1:] != paf.shape[1:]:
        raise ValueError(f"heat and paf: found sizes {heat.shape[1:]} and {paf.shape[1:]}, expected the same")
    return heat, paf


def check_flip(shape: tuple[int, ...], flip_heat: np.ndarray | None, flip_paf: np.ndarray | None) -> bool:
    """Whether there are maps of the mirrored image.

    Args:
        shape: (C, h, w) of the image's heatmaps.
        flip_heat: (19, h, w) or None.
        flip_paf: (38, h, w) or None.

    Returns:
        True if both are given, False if neither is.

    Raises:
        ValueError: Only one of them is given, or they have another size than (h, w).
    """
    if (flip_heat is None) != (flip_paf is None):
        raise ValueError("flip_heat and flip_paf: found one of them, expected both or neither")
    if flip_heat is None or flip_paf is None:
        return False
    if np.shape(flip_heat)[1:] != shape[1:] or np.shape(flip_paf)[1:] != shape[1:]:
        raise ValueError(
            f"flip_heat and flip_paf: found sizes {np.shape(flip_heat)[1:]} and {np.shape(flip_paf)[1:]}, "
            f"expected {shape[1:]} as in heat"
        )
    return True
