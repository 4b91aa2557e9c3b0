"""Joint sets (names, limbs, mirror pairs, OKS sigmas) and the maps between them.

Every joint order of the project is written here once; mmpose metainfo and detectron2 metadata are both made from it.
"Left" is the subject's left in every set.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Skeleton:
    """A named, ordered set of joints.

    Attributes:
        name: Key in `SKELETONS`.
        joints: Joint names in order.
        limbs: Pairs of joint indices, for drawing and for bone lengths.
        sigmas: OKS constants, one per joint; empty where the field has agreed on none.
    """

    name: str
    joints: tuple[str, ...]
    limbs: tuple[tuple[int, int], ...]
    sigmas: tuple[float, ...] = field(default=())

    def __post_init__(self):
        if len(set(self.joints)) != len(self.joints):
            raise ValueError(f"skeleton {self.name}: joint names are not unique")
        if self.sigmas and len(self.sigmas) != len(self.joints):
            raise ValueError(f"skeleton {self.name}: {len(self.sigmas)} sigmas for {len(self.joints)} joints")

    @property
    def num_joints(self) -> int:
        """Number of joints."""
        return len(self.joints)

    def index(self, joint: str) -> int:
        """Position of a joint.

        Args:
            joint: Its name.

        Returns:
            The index in `joints`.

        Raises:
            ValueError: The set has no such joint; the message names the set.
        """
        try:
            return self.joints.index(joint)
        except ValueError:
            raise ValueError(f"skeleton {self.name} has no joint {joint!r}; it has {', '.join(self.joints)}") from None

    @cached_property
    def flip_pairs(self) -> tuple[tuple[int, int], ...]:
        """(left, right) index pairs, found by name."""
        return tuple(
            (i, self.joints.index(name.replace("left_", "right_", 1)))
            for i, name in enumerate(self.joints)
            if name.startswith("left_")
        )

    @cached_property
    def flip_indices(self) -> tuple[int, ...]:
        """Where each joint of a mirrored image comes from."""
        indices = list(range(self.num_joints))
        for left, right in self.flip_pairs:
            indices[left], indices[right] = right, left
        return tuple(indices)


COCO_17 = Skeleton(
    "coco_17",
    (
        "nose",
        "left_eye",
        "right_eye",
        "left_ear",
        "right_ear",
        "left_shoulder",
        "right_shoulder",
        "left_elbow",
        "right_elbow",
        "left_wrist",
        "right_wrist",
        "left_hip",
        "right_hip",
        "left_knee",
        "right_knee",
        "left_ankle",
        "right_ankle",
    ),
    (
        (15, 13),
        (13, 11),
        (16, 14),
        (14, 12),
        (11, 12),
        (5, 11),
        (6, 12),
        (5, 6),
        (5, 7),
        (6, 8),
        (7, 9),
        (8, 10),
        (1, 2),
        (0, 1),
        (0, 2),
        (1, 3),
        (2, 4),
        (3, 5),
        (4, 6),
    ),
    (
        0.026,
        0.025,
        0.025,
        0.035,
        0.035,
        0.079,
        0.079,
        0.072,
        0.072,
        0.062,
        0.062,
        0.107,
        0.107,
        0.087,
        0.087,
        0.089,
        0.089,
    ),
)
# Bones of COCO-17 that say how large somebody is: joints of the left one, and of the right one.
COCO_BONES = {
    "upper arm": ((5, 7), (6, 8)),
    "forearm": ((7, 9), (8, 10)),
    "trunk": ((5, 11), (6, 12)),
    "thigh": ((11, 13), (12, 14)),
    "shin": ((13, 15), (14, 16)),
}

OPENPOSE_18 = Skeleton(
    "openpose_18",
    (
        "nose",
        "neck",
        "right_shoulder",
        "right_elbow",
        "right_wrist",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "right_hip",
        "right_knee",
        "right_ankle",
        "left_hip",
        "left_knee",
        "left_ankle",
        "right_eye",
        "left_eye",
        "right_ear",
        "left_ear",
    ),
    (
        (1, 8),
        (8, 9),
        (9, 10),
        (1, 11),
        (11, 12),
        (12, 13),
        (1, 2),
        (2, 3),
        (3, 4),
        (1, 5),
        (5, 6),
        (6, 7),
        (1, 0),
        (0, 14),
        (0, 15),
        (14, 16),
        (15, 17),
    ),
)

BODY_25 = Skeleton(
    "body_25",
    (
        "nose",
        "neck",
        "right_shoulder",
        "right_elbow",
        "right_wrist",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "mid_hip",
        "right_hip",
        "right_knee",
        "right_ankle",
        "left_hip",
        "left_knee",
        "left_ankle",
        "right_eye",
        "left_eye",
        "right_ear",
        "left_ear",
        "left_big_toe",
        "left_small_toe",
        "left_heel",
        "right_big_toe",
        "right_small_toe",
        "right_heel",
    ),
    (
        (1, 8),
        (1, 2),
        (1, 5),
        (2, 3),
        (3, 4),
        (5, 6),
        (6, 7),
        (8, 9),
        (9, 10),
        (10, 11),
        (8, 12),
        (12, 13),
        (13, 14),
        (1, 0),
        (0, 15),
        (15, 17),
        (0, 16),
        (16, 18),
        (14, 19),
        (19, 20),
        (14, 21),
        (11, 22),
        (22, 23),
        (11, 24),
    ),
)

# OpenPose's experimental model of the same size: COCO's 17 in COCO's order, then neck, head and feet.
BODY_25B = Skeleton(
    "body_25b",
    (
        *COCO_17.joints,
        "neck",
        "head_top",
        "left_big_toe",
        "left_small_toe",
        "left_heel",
        "right_big_toe",
        "right_small_toe",
        "right_heel",
    ),
    (
        *COCO_17.limbs,
        (17, 18),
        (15, 19),
        (19, 20),
        (15, 21),
        (16, 22),
        (22, 23),
        (16, 24),
    ),
)

MPI_15 = Skeleton(
    "mpi_15",
    (
        "head",
        "neck",
        "right_shoulder",
        "right_elbow",
        "right_wrist",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "right_hip",
        "right_knee",
        "right_ankle",
        "left_hip",
        "left_knee",
        "left_ankle",
        "chest",
    ),
    (
        (0, 1),
        (1, 2),
        (2, 3),
        (3, 4),
        (1, 5),
        (5, 6),
        (6, 7),
        (1, 14),
        (14, 8),
        (8, 9),
        (9, 10),
        (14, 11),
        (11, 12),
        (12, 13),
    ),
)

H36M_17 = Skeleton(
    "h36m_17",
    (
        "pelvis",
        "right_hip",
        "right_knee",
        "right_ankle",
        "left_hip",
        "left_knee",
        "left_ankle",
        "spine",
        "thorax",
        "neck_base",
        "head",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "right_shoulder",
        "right_elbow",
        "right_wrist",
    ),
    (
        (9, 10),
        (10, 8),
        (8, 7),
        (7, 0),
        (0, 1),
        (1, 2),
        (2, 3),
        (0, 4),
        (4, 5),
        (5, 6),
        (8, 14),
        (14, 15),
        (15, 16),
        (8, 11),
        (11, 12),
        (12, 13),
    ),
)

# Places of these joints among Human3.6M's own 32, and the parent of each of the 17 (-1: the root).
H36M_17_OF_32 = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)
H36M_PARENTS = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15)


CAMMA_10 = Skeleton(
    "camma_10",
    (
        "head",
        "neck",
        "left_shoulder",
        "right_shoulder",
        "left_hip",
        "right_hip",
        "left_elbow",
        "right_elbow",
        "left_wrist",
        "right_wrist",
    ),
    ((0, 1), (1, 3), (3, 7), (3, 5), (7, 9), (1, 2), (2, 4), (2, 6), (6, 8), (4, 5)),
)

ITOP_15 = Skeleton(
    "itop_15",
    (
        "head",
        "neck",
        "right_shoulder",
        "left_shoulder",
        "right_elbow",
        "left_elbow",
        "right_hand",
        "left_hand",
        "torso",
        "right_hip",
        "left_hip",
        "right_knee",
        "left_knee",
        "right_foot",
        "left_foot",
    ),
    (
        (0, 1),
        (1, 2),
        (1, 3),
        (2, 4),
        (4, 6),
        (3, 5),
        (5, 7),
        (1, 8),
        (8, 9),
        (8, 10),
        (10, 12),
        (12, 14),
        (9, 11),
        (11, 13),
    ),
)

KINECT_20 = Skeleton(
    "kinect_20",
    (
        "hip_center",
        "spine",
        "shoulder_center",
        "head",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "left_hand",
        "right_shoulder",
        "right_elbow",
        "right_wrist",
        "right_hand",
        "left_hip",
        "left_knee",
        "left_ankle",
        "left_foot",
        "right_hip",
        "right_knee",
        "right_ankle",
        "right_foot",
    ),
    (
        (0, 1),
        (1, 2),
        (2, 3),
        (2, 4),
        (4, 5),
        (5, 6),
        (6, 7),
        (2, 8),
        (8, 9),
        (9, 10),
        (10, 11),
        (0, 12),
        (12, 13),
        (13, 14),
        (14, 15),
        (0, 16),
        (16, 17),
        (17, 18),
        (18, 19),
    ),
)

# A casualty seen from near (Medical-Partial-Body-Pose-Estimation, 22 points; its released configuration uses the first
# 21). Arms and legs have points between the joints: there is no shoulder, elbow, hip or ankle.
# The joints that all systems have that record motion: arm and leg bones of either side, then the trunk's.
CORE_12 = Skeleton(
    "core_12",
    (
        "left_shoulder",
        "right_shoulder",
        "left_elbow",
        "right_elbow",
        "left_wrist",
        "right_wrist",
        "left_hip",
        "right_hip",
        "left_knee",
        "right_knee",
        "left_ankle",
        "right_ankle",
    ),
    ((0, 2), (2, 4), (6, 8), (8, 10), (1, 3), (3, 5), (7, 9), (9, 11), (0, 1), (6, 7), (0, 6), (1, 7)),
)

_PATIENT_LIMBS = (
    (0, 1),
    (1, 2),
    (2, 3),
    (3, 4),
    (2, 5),
    (2, 6),
    (5, 7),
    (6, 8),
    (7, 9),
    (8, 10),
    (9, 11),
    (10, 12),
    (4, 13),
    (4, 14),
    (13, 15),
    (14, 16),
    (15, 17),
    (16, 18),
    (17, 19),
    (18, 20),
    (14, 21),
    (13, 21),
)
PATIENT_22 = Skeleton(
    "patient_22",
    (
        "nose",
        "mouth",
        "throat",
        "chest",
        "stomach",
        "left_upper_arm",
        "right_upper_arm",
        "left_lower_arm",
        "right_lower_arm",
        "left_wrist",
        "right_wrist",
        "left_hand",
        "right_hand",
        "left_upper_leg",
        "right_upper_leg",
        "left_knee",
        "right_knee",
        "left_lower_leg",
        "right_lower_leg",
        "left_foot",
        "right_foot",
        "back",
    ),
    _PATIENT_LIMBS,
    (0.067,) * 22,
)
PATIENT_21 = Skeleton("patient_21", PATIENT_22.joints[:21], _PATIENT_LIMBS[:20], PATIENT_22.sigmas[:21])

# The arms of whoever treats the casualty.
USER_6 = Skeleton(
    "user_6",
    ("left_upper_arm", "right_upper_arm", "left_lower_arm", "right_lower_arm", "left_hand", "right_hand"),
    ((5, 3), (1, 3), (0, 2), (2, 4)),
    (0.067,) * 6,
)

SKELETONS: dict[str, Skeleton] = {
    skeleton.name: skeleton
    for skeleton in (
        COCO_17,
        OPENPOSE_18,
        BODY_25,
        BODY_25B,
        MPI_15,
        H36M_17,
        CAMMA_10,
        ITOP_15,
        KINECT_20,
        PATIENT_22,
        PATIENT_21,
        USER_6,
    )
}

_MID_HIP, _MID_SHOULDER = ("left_hip", "right_hip"), ("left_shoulder", "right_shoulder")
_HEAD_FROM_FACE = (("left_ear", "right_ear"), ("left_eye", "right_eye"), ("nose",))
# Names that mean the same point in another set.
_ANKLE_AND_FOOT = {"left_foot": (("left_ankle",),), "right_foot": (("right_ankle",),)}
_WRIST_AND_HAND = {"left_hand": (("left_wrist",),), "right_hand": (("right_wrist",),)}

# (target set, or None for all) -> joint -> recipes in order of preference. A recipe is a tuple of source joints whose
# mean is taken; it applies if every one of them is present. A joint of the same name always comes first.
_RECIPES: dict[str | None, dict[str, tuple[tuple[str, ...], ...]]] = {
    None: {
        "neck": (("shoulder_center",), ("thorax",), _MID_SHOULDER),
        "thorax": (("shoulder_center",), ("neck",), _MID_SHOULDER),
        "shoulder_center": (("thorax",), ("neck",), _MID_SHOULDER),
        "mid_hip": (("pelvis",), ("hip_center",), _MID_HIP),
        "pelvis": (("mid_hip",), ("hip_center",), _MID_HIP),
        "hip_center": (("pelvis",), ("mid_hip",), _MID_HIP),
        "head": _HEAD_FROM_FACE,
        "neck_base": (("nose",),),
        "left_wrist": (("left_hand",),),
        "right_wrist": (("right_hand",),),
    },
    # MVOR's published rule for predictions that lack one of a pair.
    "camma_10": {
        "head": (
            ("left_eye", "right_eye"),
            ("left_ear", "right_ear"),
            ("nose",),
            ("right_eye",),
            ("left_eye",),
            ("right_ear",),
            ("left_ear",),
        ),
        "neck": (("shoulder_center",), ("thorax",), _MID_SHOULDER, ("right_shoulder",), ("left_shoulder",)),
    },
    # ITOP's torso is a spine point where there is one; its hands and feet are the wrists and ankles of other sets.
    "itop_15": {
        "head": (("nose",), *_HEAD_FROM_FACE),
        "torso": (("spine",), ("mid_hip",), ("pelvis",), _MID_HIP),
        **_ANKLE_AND_FOOT,
        **_WRIST_AND_HAND,
    },
    "h36m_17": {"head": (("left_eye", "right_eye"), ("left_ear", "right_ear"), ("nose",)), "spine": (("torso",),)},
    "kinect_20": {
        "head": (("neck_base", "head"), *_HEAD_FROM_FACE),
        "spine": (("torso",),),
        "left_foot": (("left_big_toe", "left_small_toe"),),
        "right_foot": (("right_big_toe", "right_small_toe"),),
    },
}
_ANKLES_FROM_ITOP = {"left_ankle": (("left_foot",),), "right_ankle": (("right_foot",),)}


def recipes(joint: str, source: Skeleton, target: Skeleton) -> tuple[tuple[str, ...], ...]:
    """Return the ways to make a joint of `target` from joints of `source`, the preferred one first.

    Each is a tuple of joint names whose mean is taken; those that name a joint which `source` lacks do not apply.
    """
    special = _RECIPES.get(target.name, {})
    # H36M's "head" is its top and Kinect's lies between that and the neck: the mean stands before the plain name.
    before = special.get(joint, ()) if (target.name, joint) == ("kinect_20", "head") and source is H36M_17 else ()
    named: tuple[tuple[str, ...], ...] = ((joint,),)
    if source.name == "kinect_20" and target.name == "itop_15" and joint.endswith("_foot"):
        named = ()  # Kinect's foot is the toe; ITOP's is the ankle
    if source.name == "itop_15" and target.name == "kinect_20" and joint.endswith(("_foot", "_hand")):
        named = ()  # and the other way round; ITOP's hand is a wrist
    if source.name == "itop_15" and joint.endswith("_ankle"):
        named = _ANKLES_FROM_ITOP[joint]
    return (*before, *named, *special.get(joint, _RECIPES[None].get(joint, ())))


def convert(
    keypoints: np.ndarray, source: Skeleton, target: Skeleton, spine_fraction: float | None = 0.5
) -> np.ndarray:
    """Convert poses from one joint set into another.

    Args:
        keypoints: (..., J, D + 1): D coordinates, then a score; a joint with score <= 0 is missing.
        source: The set that ``keypoints`` are in.
        target: The wanted set.
        spine_fraction: A spine (or torso) that no source joint gives is put at this fraction of the way from the mid
            hip to the mid shoulders; ``None`` leaves it missing.

    Returns:
        (..., K, D + 1). Missing joints are zeros. A mean of two joints has their mean score, and is missing when either
        of them is.

    Raises:
        ValueError: The joint axis does not fit ``source``.
    """
    keypoints = np.asarray(keypoints, dtype=np.float64)
    if keypoints.ndim < 2 or keypoints.shape[-2] != source.num_joints:
        raise ValueError(
            f"keypoints of shape {keypoints.shape}: expected (..., {source.num_joints}, D + 1) for {source.name}"
        )
    if source is target:
        return np.where(keypoints[..., -1:] > 0, keypoints, 0.0)

    out = np.zeros((*keypoints.shape[:-2], target.num_joints, keypoints.shape[-1]))

    def fill(joint: str, candidate: np.ndarray) -> None:
        slot = target.index(joint)
        out[..., slot, :] = np.where(out[..., slot, -1:] > 0, out[..., slot, :], candidate)

    for joint in target.joints:
        for recipe in recipes(joint, source, target):
            if all(name in source.joints for name in recipe):
                parts = keypoints[..., [source.joints.index(name) for name in recipe], :]
                present = np.all(parts[..., -1] > 0, axis=-1)
                fill(joint, np.where(present[..., None], parts.mean(-2), 0.0))
    for joint in ("spine", "torso"):
        if joint in target.joints and spine_fraction is not None and not {"spine", "torso"} & set(source.joints):
            if target is ITOP_15:
                continue  # its torso falls back to the mid hip above
            ends = convert(keypoints, source, _TRUNK)
            present = np.all(ends[..., -1] > 0, axis=-1)
            point = (1 - spine_fraction) * ends[..., 0, :] + spine_fraction * ends[..., 1, :]
            fill(joint, np.where(present[..., None], point, 0.0))
    return out


_TRUNK = Skeleton("trunk", ("mid_hip", "neck"), ((0, 1),))

# In the order of COCO's v: 0 is not in the image, 1 is hidden behind something, 2 is seen.
STATES = ("out of view", "occluded", "visible")
OUT_OF_VIEW, OCCLUDED, VISIBLE = range(3)

COCO_SYMMETRY = [[left for left, _ in COCO_17.flip_pairs], [right for _, right in COCO_17.flip_pairs]]
H36M_SYMMETRY = [[4, 5, 6, 11, 12, 13], [1, 2, 3, 14, 15, 16]]
