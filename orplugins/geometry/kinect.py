"""Poses as the 20 joints of a Kinect v1, in its axes and with its joint states.

States: 0 not tracked, 1 inferred, 2 tracked. A joint that is copied keeps its state, one that is computed from several
is inferred. Kinect v1's skeleton space: metres, x to the sensor's left, y up, z away from the sensor.
"""

from __future__ import annotations

import numpy as np

from orplugins.skeletons import BODY_25, COCO_17, H36M_17, ITOP_15, KINECT_20, Skeleton

_ALWAYS_COPIED = ("hip_center", "shoulder_center")  # where the source has the one joint itself
_HEAD = (("left_ear", "right_ear"), ("left_eye", "right_eye"), ("nose",))


def _recipes(source: Skeleton) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Kinect joint -> groups of source joints in order of preference; the mean of the first complete group."""
    hands = "hand" if source is ITOP_15 else "wrist"
    ankles = "foot" if source is ITOP_15 else "ankle"
    recipes: dict[str, tuple[tuple[str, ...], ...]] = {
        "hip_center": (("pelvis",), ("mid_hip",), ("left_hip", "right_hip")),
        "shoulder_center": (("thorax",), ("neck",), ("left_shoulder", "right_shoulder")),
        "spine": (("spine",), ("torso",)),
        "head": (("neck_base", "head"),) if source is H36M_17 else (("head",), *_HEAD),
    }
    for side in ("left", "right"):
        recipes |= {f"{side}_{joint}": ((f"{side}_{joint}",),) for joint in ("shoulder", "elbow", "hip", "knee")}
        recipes[f"{side}_wrist"] = ((f"{side}_{hands}",),)
        recipes[f"{side}_ankle"] = ((f"{side}_{ankles}",),)
        recipes[f"{side}_foot"] = ((f"{side}_big_toe", f"{side}_small_toe"),)
    return recipes


def to_kinect(
    xyz: np.ndarray,
    state: np.ndarray,
    source: Skeleton,
    spine_fraction: float = 0.5,
    extrapolate_hands: bool = False,
    camera_axes: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Convert poses of another joint set.

    Args:
        xyz: (..., J, 3) metres, NaN where missing.
        state: (..., J).
        source: Their joint set (its Kinect rows by name).
        spine_fraction: Where a spine that the source does not have lies between hip centre and shoulder centre. The
            Kinect's own spine joint sits lower than half-way: measure it on the subject's recording.
        extrapolate_hands: Put hands 0.35 forearms beyond the wrists, inferred. No joint set but Kinect's has them.
        camera_axes: The input is in camera axes (x right, y down, z forward); False: in Kinect axes already.

    Returns:
        (..., 20, 3) in Kinect axes, NaN where missing; (..., 20) states.

    Raises:
        ValueError: Shapes that do not fit the joint set.
    """
    xyz, state = np.asarray(xyz, dtype=np.float64), np.asarray(state)
    if xyz.shape[-2:] != (source.num_joints, 3) or state.shape != xyz.shape[:-1]:
        raise ValueError(
            f"poses {xyz.shape} and states {state.shape}: expected (..., {source.num_joints}, 3) and its states"
        )
    points = np.full((*xyz.shape[:-2], KINECT_20.num_joints, 3), np.nan)
    states = np.zeros(points.shape[:-1], dtype=np.int64)
    there = (state > 0) & np.isfinite(xyz).all(-1)

    def put(joint: str, value: np.ndarray, valid: np.ndarray, quality: np.ndarray | int) -> None:
        slot = KINECT_20.index(joint)
        free = valid & (states[..., slot] == 0)
        points[..., slot, :] = np.where(free[..., None], value, points[..., slot, :])
        states[..., slot] = np.where(free, quality, states[..., slot])

    if source is KINECT_20:
        points, states = np.where(there[..., None], xyz, np.nan), np.where(there, state, 0)
    else:
        for joint, groups in _recipes(source).items():
            for group in groups:
                if all(name in source.joints for name in group):
                    index = [source.index(name) for name in group]
                    quality = state[..., index[0]] if len(group) == 1 else 1
                    put(joint, xyz[..., index, :].mean(-2), there[..., index].all(-1), quality)
        ends = [KINECT_20.index("hip_center"), KINECT_20.index("shoulder_center")]
        between = points[..., ends[0], :] + spine_fraction * (points[..., ends[1], :] - points[..., ends[0], :])
        if not {"spine", "torso"} & set(source.joints):
            put("spine", between, np.all(states[..., ends] > 0, axis=-1), 1)
        if extrapolate_hands:
            for side in ("left", "right"):
                arm = [KINECT_20.index(f"{side}_elbow"), KINECT_20.index(f"{side}_wrist")]
                elbow, wrist = points[..., arm[0], :], points[..., arm[1], :]
                put(f"{side}_hand", wrist + 0.35 * (wrist - elbow), np.all(states[..., arm] > 0, axis=-1), 1)
    if camera_axes and source is not KINECT_20:
        points = points * (-1.0, -1.0, 1.0)
    return points, states


SOURCES = {skeleton.name: skeleton for skeleton in (BODY_25, COCO_17, H36M_17, ITOP_15, KINECT_20)}
