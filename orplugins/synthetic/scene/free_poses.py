"""Standing, crouching, bending and striding people with arms anywhere they reach: the whole range of the limbs."""

from __future__ import annotations

import numpy as np

from orplugins.synthetic.scene.geometry import unit
from orplugins.synthetic.scene.human import Pose, Shape

LEGS = ("stand", "wide", "stride", "raised", "crouch", "sit", "kneel")
LEG_SHARES = (0.38, 0.14, 0.16, 0.12, 0.1, 0.06, 0.04)
ARMS = ("anywhere", "sideways", "up", "ahead", "hips", "crossed", "head", "hang")
ARM_SHARES = (0.3, 0.16, 0.1, 0.12, 0.08, 0.08, 0.04, 0.12)


def free_pose(rng: np.random.Generator, shape: Shape) -> tuple[str, Pose]:
    """A random pose.

    Args:
        rng: Source of all randomness.
        shape: Whose pose it is.

    Returns:
        What the legs do, and the pose.
    """
    legs = str(rng.choice(LEGS, p=LEG_SHARES))
    bent = rng.random() < 0.15
    pose = Pose(
        lean=np.radians(rng.uniform(30, 85) if bent else rng.normal(4, 9)),
        tilt=np.radians(rng.normal(0, 9)),
        twist=np.radians(rng.normal(0, 18)),
        ankles=_ankles(rng, legs, shape),
        reach=rng.uniform(0.955, 0.99),
        elbows=rng.normal(0, 0.45, (2, 3)),
        pronation=np.radians(rng.uniform(-80, 80, 2)),
        gaze=np.array([rng.normal(0, 1.5), -2.5, rng.uniform(0.3, 2.4)]),
    )
    if legs == "crouch":
        pose.reach = rng.uniform(0.55, 0.85)
    elif legs == "sit":
        pose.seat = rng.uniform(0.42, 0.62)
    elif legs == "kneel":
        pose.seat = rng.uniform(0.25, 0.5)
        pose.heels = (1.2, 0.0)
    elif legs == "stride":
        pose.heels = (0.35 * float(pose.ankles[0, 0] < 0), 0.35 * float(pose.ankles[1, 0] < 0))
    together = str(rng.choice(ARMS, p=ARM_SHARES)) if rng.random() < 0.5 else None
    for side, sign in enumerate((1, -1)):
        arms = together or str(rng.choice(ARMS, p=ARM_SHARES))
        pose.hands[side] = _hand(rng, arms, sign, shape, pose)
    return legs, pose


def _ankles(rng: np.random.Generator, legs: str, shape: Shape) -> np.ndarray:
    """(2, 4) to the front, to the left, lift, outward turn."""
    out = np.radians(rng.uniform(0, 35, 2))
    half = rng.uniform(0.25, 0.5) if legs == "wide" else rng.uniform(0.07, 0.18)
    front = rng.normal(0, 0.07, 2)
    ankles = np.array([[front[0], half, 0, out[0]], [front[1], -half, 0, -out[1]]])
    lead, sign = int(rng.integers(2)), (1, -1)
    if legs == "stride":
        step = rng.uniform(0.2, 0.5)
        ankles[lead, 0], ankles[1 - lead, 0] = step, -step
        ankles[1 - lead, 2] = 0.06
    elif legs == "raised":  # to the front, to the side, or with a bent knee
        leg = 0.5 * shape.stature
        angle, high = rng.uniform(-0.3, 1.6), rng.uniform(0.15, 0.75) * leg
        far = rng.uniform(0.3, 0.75) * leg
        ankles[lead, :3] = far * np.cos(angle), sign[lead] * (0.1 + far * abs(np.sin(angle))), high
    elif legs == "sit":
        ankles[:, 0] = rng.uniform(0.2, 0.55, 2)
    elif legs == "kneel":
        ankles[lead, 0], ankles[1 - lead, 0], ankles[1 - lead, 2] = 0.3, -0.35, 0.05
    return ankles


def _hand(rng: np.random.Generator, arms: str, sign: int, shape: Shape, pose: Pose) -> np.ndarray | None:
    """(3,) where a wrist goes, in the body's axes; None hangs."""
    if arms == "hang":
        return None
    tall, arm = shape.stature, shape.arm
    drop = 0.0 if pose.seat is None else 0.5 * tall - pose.seat
    shoulder = np.array([0.1 * sign * tall, -0.35 * tall * np.sin(pose.lean), 0.81 * tall - drop])
    shoulder[2] -= 0.3 * tall * (1 - np.cos(pose.lean)) + (0.98 - pose.reach) * 0.5 * tall
    if arms == "hips":
        return np.array([0.14 * sign * tall, -0.02, 0.58 * tall - drop]) + rng.normal(0, 0.03, 3)
    if arms == "crossed":
        return np.array([-0.07 * sign * tall, -0.17 * tall, 0.68 * tall - drop]) + rng.normal(0, 0.03, 3)
    if arms == "head":
        return np.array([0.06 * sign * tall, -0.06, 0.95 * tall - drop]) + rng.normal(0, 0.05, 3)
    spread = 0.25
    towards = {"sideways": (1.0, 0, 0), "up": (0.25, -0.1, 1.0), "ahead": (0.1, -1.0, 0.05)}.get(arms)
    if towards is None:
        towards, spread = (0.6, -0.5, rng.uniform(-1, 1)), 0.8
    direction = unit(np.array([sign * towards[0], towards[1], towards[2]]) + rng.normal(0, spread, 3))
    reach = rng.uniform(0.8, 1.0) if arms != "anywhere" else rng.uniform(0.45, 1.0)
    return shoulder + direction * reach * arm
