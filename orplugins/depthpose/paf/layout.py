"""Channel layout of heatmap and part affinity field (PAF) networks over the OpenPose-18 joints.

19 heatmaps (18 joints in the order of ``OPENPOSE_18``, then background) and 38 PAF channels: an x and a y channel for
each of 19 limbs (Cao et al., "Realtime Multi-Person 2D Pose Estimation using Part Affinity Fields", 2017). Limbs are
written here once, by joint name; every index table of the package is derived from them.
"""

from __future__ import annotations

import numpy as np

from orplugins.skeletons import COCO_17, OPENPOSE_18

NUM_JOINTS = OPENPOSE_18.num_joints
BACKGROUND = NUM_JOINTS
NUM_HEATMAPS = NUM_JOINTS + 1

# (source joint, destination joint) in PAF channel order: limb k lies in channels 2k (x) and 2k + 1 (y).
_CHANNEL_LIMBS = (
    ("neck", "right_hip"), ("right_hip", "right_knee"), ("right_knee", "right_ankle"),
    ("neck", "left_hip"), ("left_hip", "left_knee"), ("left_knee", "left_ankle"),
    ("neck", "right_shoulder"), ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"),
    ("right_shoulder", "right_ear"),
    ("neck", "left_shoulder"), ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
    ("left_shoulder", "left_ear"),
    ("neck", "nose"), ("nose", "right_eye"), ("nose", "left_eye"), ("right_eye", "right_ear"), ("left_eye", "left_ear"),
)  # fmt: skip

# Decoding order. The first 17 limbs form a tree that is walked from the neck outwards, the last two only close loops.
_DECODING_LIMBS = (
    ("neck", "right_shoulder"), ("neck", "left_shoulder"),
    ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"),
    ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
    ("neck", "right_hip"), ("right_hip", "right_knee"), ("right_knee", "right_ankle"),
    ("neck", "left_hip"), ("left_hip", "left_knee"), ("left_knee", "left_ankle"),
    ("neck", "nose"), ("nose", "right_eye"), ("right_eye", "right_ear"), ("nose", "left_eye"), ("left_eye", "left_ear"),
    ("right_shoulder", "right_ear"), ("left_shoulder", "left_ear"),
)  # fmt: skip


def _pairs(limbs: tuple[tuple[str, str], ...]) -> tuple[tuple[int, int], ...]:
    return tuple((OPENPOSE_18.index(a), OPENPOSE_18.index(b)) for a, b in limbs)


PAF_LIMBS = _pairs(_CHANNEL_LIMBS)
"""(source, destination) joints of each PAF channel pair, in channel order."""

LIMBS = _pairs(_DECODING_LIMBS)
"""(source, destination) joints in the order in which people are put together."""

NUM_LIMBS = len(LIMBS)
NUM_TREE_LIMBS = NUM_JOINTS - 1
"""``LIMBS[:NUM_TREE_LIMBS]`` is a tree over all joints; the rest (shoulder to ear) is redundant."""
NUM_PAF_CHANNELS = 2 * NUM_LIMBS

LIMB_PAF_CHANNELS = tuple((2 * k, 2 * k + 1) for k in map(_CHANNEL_LIMBS.index, _DECODING_LIMBS))
"""(x, y) PAF channels of each entry of ``LIMBS``."""

_SHOULDER_TO_EYE = {
    ("right_shoulder", "right_ear"): ("right_shoulder", "right_eye"),
    ("left_shoulder", "left_ear"): ("left_shoulder", "left_eye"),
}
PAF_LIMBS_EYE = _pairs(tuple(_SHOULDER_TO_EYE.get(limb, limb) for limb in _CHANNEL_LIMBS))
"""``PAF_LIMBS`` as one published training code draws them: the ear limbs end at the eyes."""


def _mirrored(name: str) -> str:
    return OPENPOSE_18.joints[OPENPOSE_18.flip_indices[OPENPOSE_18.index(name)]]


def _paf_flip() -> tuple[np.ndarray, np.ndarray]:
    limbs = [_CHANNEL_LIMBS.index((_mirrored(a), _mirrored(b))) for a, b in _CHANNEL_LIMBS]
    channels = np.array([channel for k in limbs for channel in (2 * k, 2 * k + 1)])
    signs = np.tile(np.array([-1.0, 1.0], np.float32), NUM_LIMBS)
    return channels, signs


HEAT_FLIP = np.array([*OPENPOSE_18.flip_indices, BACKGROUND])
"""Heatmap channel of the mirrored image that holds each joint of the upright one."""
PAF_FLIP, PAF_FLIP_SIGNS = _paf_flip()
"""The same for PAF channels, with the sign that a mirrored x component needs."""

COCO_FROM_OPENPOSE = np.array([OPENPOSE_18.index(name) for name in COCO_17.joints])
"""OpenPose-18 joint of each COCO joint (the neck is dropped)."""
