"""COCO-17 poses as CAMMA-10, the upper-body joint set of MVOR's annotations, by the rules of MVOR's evaluation.

These rules are part of a published protocol, so they are kept apart from the general conversions of joint sets.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from orplugins.skeletons import CAMMA_10, COCO_17, recipes

# (target joint, groups of COCO joints in order of preference): the first group that is complete gives the mean.
_RULES = tuple(
    (
        target,
        tuple(
            tuple(COCO_17.index(name) for name in group)
            for group in recipes(joint, COCO_17, CAMMA_10)
            if set(group) <= set(COCO_17.joints)
        ),
    )
    for target, joint in enumerate(CAMMA_10.joints)
)


def coco_to_camma(keypoints: np.ndarray, presence: Literal["coordinates", "score"] = "coordinates") -> np.ndarray:
    """Convert COCO-17 to CAMMA-10 (head, neck, then left and right shoulder, hip, elbow, wrist).

    Args:
        keypoints: (..., 17, 2) or (..., 17, 3), x, y in pixels and a score.
        presence: Which published version decides whether a joint is there. "coordinates", of the PCK evaluation: unless
            x = y = 0. "score", of the published OpenPose files: score > 0.

    Returns:
        (..., 10, 2) or (..., 10, 3). A joint made of two has the mean of their coordinates and scores; missing joints
        are zeros.

    Raises:
        ValueError: Another shape, another ``presence``, or "score" without scores.
    """
    keypoints = np.asarray(keypoints, dtype=np.float64)
    if keypoints.ndim < 2 or keypoints.shape[-2] != 17 or keypoints.shape[-1] not in (2, 3):
        raise ValueError(f"coco_to_camma: keypoints have shape {keypoints.shape}, expected (..., 17, 2 or 3)")
    if presence == "coordinates":
        present = (keypoints[..., :2] != 0).any(axis=-1)
    elif presence == "score":
        if keypoints.shape[-1] != 3:
            raise ValueError("coco_to_camma: presence 'score' needs keypoints (..., 17, 3) with scores")
        present = keypoints[..., 2] > 0
    else:
        raise ValueError(f"coco_to_camma: presence is {presence!r}, expected 'coordinates' or 'score'")
    out = np.zeros((*keypoints.shape[:-2], 10, keypoints.shape[-1]))
    for joint, groups in _RULES:
        for group in reversed(groups):  # the preferred group is written last
            complete = present[..., list(group)].all(axis=-1)
            out[..., joint, :] = np.where(
                complete[..., None], keypoints[..., list(group), :].mean(axis=-2), out[..., joint, :]
            )
    return out
