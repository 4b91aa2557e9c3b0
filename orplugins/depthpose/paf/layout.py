"""Channel layout of heatmap and part affinity field (PAF) networks over the OpenPose-18 joints.

19 heatmaps (18 joints in the order of ``OPENPOSE_18``, then background) and 38 PAF channels: an x and a y channel for
each of 19 limbs (Cao et al., "Realtime Multi-Person 2D Pose Estimation using Part Affinity Fields", 2017). Limbs are
written here once, by joint name; every index table of the package is derived from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from orplugins.skeletons import COCO_17, OPENPOSE_18

FIELD_SHIFT = 0.4375
"""How far, in cells to the right and down, fields lie from the heatmaps of the same joints at the usual stride of 8.

The training code puts heatmap cells at their centres and fields at joint / stride, (stride - 1) / (2 stride) apart."""


@dataclass(frozen=True, eq=False)
class PafLayout:
    """What the channels of a network's maps are.

    Attributes:
        joints: K names; a heatmap each, in this order.
        limbs: (source, destination) joints of each limb, in the order in which people are put together.
        paf_channels: (x, y) channels of each limb among the fields.
        background: Where the heatmaps have a channel of background: "first", "last", or None.
        field_shift: How far fields lie from heatmaps of the same joints, cells to the right and down.

    Raises:
        ValueError: Limbs of joints that are not there, or another number of channels than of limbs.
    """

    joints: tuple[str, ...]
    limbs: tuple[tuple[int, int], ...]
    paf_channels: tuple[tuple[int, int], ...]
    background: str | None = "last"
    field_shift: float = 0.0

    def __post_init__(self):
        if len(self.limbs) != len(self.paf_channels) or not self.limbs:
            raise ValueError(f"PAF layout: {len(self.limbs)} limbs and {len(self.paf_channels)} pairs of channels")
        numbers = [joint for limb in self.limbs for joint in limb]
        channels = [channel for pair in self.paf_channels for channel in pair]
        if min(numbers) < 0 or max(numbers) >= len(self.joints) or min(channels) < 0:
            raise ValueError(f"PAF layout: limbs {self.limbs} of {len(self.joints)} joints, channels {channels}")
        if self.background not in ("first", "last", None):
            raise ValueError(f"PAF layout: background is {self.background!r}, expected 'first', 'last' or None")

    @property
    def num_heatmaps(self) -> int:
        """Channels of heatmaps, the background's included."""
        return len(self.joints) + (self.background is not None)

    @property
    def num_fields(self) -> int:
        """Channels of fields."""
        return 1 + max(channel for pair in self.paf_channels for channel in pair)

    @cached_property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """(L,) source and (L,) destination joints."""
        source, destination = np.array(self.limbs).T
        return source, destination

    @cached_property
    def xy_channels(self) -> np.ndarray:
        """(2, L) x and y channels of the limbs."""
        return np.array(self.paf_channels).T

    def joint_maps(self, heat: np.ndarray) -> np.ndarray:
        """Heatmaps (C, h, w) without the background's channel."""
        return heat[1:] if self.background == "first" else heat[: len(self.joints)]

    @cached_property
    def flip(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Heatmap channels, field channels and the fields' signs by which a mirrored image's maps are mirrored back.

        Raises:
            ValueError: A joint or a limb has no mirror image in the layout.
        """
        first = int(self.background == "first")
        mirror = [self._index(mirrored_name(joint)) for joint in self.joints]
        heat = [*([0] if first else []), *(k + first for k in mirror)]
        heat += [len(self.joints)] if self.background == "last" else []
        fields, signs = np.arange(self.num_fields), np.ones(self.num_fields, np.float32)
        for (a, b), (x, y) in zip(self.limbs, self.paf_channels, strict=True):
            if (mirror[a], mirror[b]) not in self.limbs:
                raise ValueError(f"PAF layout: the limb {self.joints[a]} to {self.joints[b]} has no mirror image")
            fields[[x, y]] = self.paf_channels[self.limbs.index((mirror[a], mirror[b]))]
            signs[x] = -1
        return np.array(heat), fields, signs

    def _index(self, joint: str) -> int:
        if joint not in self.joints:
            raise ValueError(f"PAF layout: the mirrored joint {joint} is not among {', '.join(self.joints)}")
        return self.joints.index(joint)


def mirrored_name(joint: str) -> str:
    """Name of the joint on the other side, in the spelling of the given one."""
    for a, b in (("left", "right"), ("Left", "Right"), ("LEFT", "RIGHT"), ("L_", "R_"), ("l_", "r_")):
        for this, other in ((a, b), (b, a)):
            if joint.startswith(this):
                return other + joint[len(this) :]
    return joint


def named_layout(
    joints: Sequence[str], limbs: Sequence[tuple[str, str]], background: str | None = "last", field_shift: float = 0.0
) -> PafLayout:
    """A layout of limbs given by names, whose fields follow each other: x and y of the first, of the second, ...

    Args:
        joints: K names.
        limbs: (source, destination) names in the order of channels and of decoding.
        background: See `PafLayout`.
        field_shift: See `PafLayout`.

    Returns:
        The layout.
    """
    names = list(joints)
    pairs = tuple((names.index(a), names.index(b)) for a, b in limbs)
    channels = tuple((2 * k, 2 * k + 1) for k in range(len(pairs)))
    return PafLayout(tuple(names), pairs, channels, background, field_shift)


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


DEPTHPOSE_LAYOUT = PafLayout(OPENPOSE_18.joints, LIMBS, LIMB_PAF_CHANNELS, "last", FIELD_SHIFT)
"""The layout of DepthPose and RTPose."""

HEAT_FLIP, PAF_FLIP, PAF_FLIP_SIGNS = DEPTHPOSE_LAYOUT.flip
"""Heatmap and field channels of the mirrored image that hold those of the upright one, and the fields' signs."""

COCO_FROM_OPENPOSE = np.array([OPENPOSE_18.index(name) for name in COCO_17.joints])
"""OpenPose-18 joint of each COCO joint (the neck is dropped)."""
