"""What people in an operating room do: random poses by kind, in the axes of `human.Pose`."""

from __future__ import annotations

import numpy as np

from orplugins.synthetic.scene.human import Pose, Shape

# Kinds of standing people and how often each is drawn; AT_TABLE kinds reach for the operating field.
KINDS = ("work", "lean", "stand", "reach", "clasp", "walk", "look", "sit")
SHARES = (0.36, 0.17, 0.15, 0.05, 0.11, 0.09, 0.05, 0.02)
AT_TABLE = ("work", "lean", "reach")


def random_pose(rng: np.random.Generator, kind: str, shape: Shape, field_height: float, gaze: np.ndarray) -> Pose:
    """A pose of a kind.

    Args:
        rng: Source of all randomness.
        kind: One of KINDS.
        shape: Whose pose it is.
        field_height: Height of the operating field, metres; hands of AT_TABLE kinds work above it.
        gaze: (3,) point to look at, in the body's axes.

    Returns:
        The pose.
    """
    tall = shape.stature
    stance = rng.uniform(0.09, 0.17)
    front = rng.normal(0, 0.06, 2)
    out = np.radians(rng.uniform(0, 25, 2))
    pose = Pose(
        lean=np.radians(rng.normal(5, 4)),
        tilt=np.radians(rng.normal(0, 3)),
        twist=np.radians(rng.normal(0, 8)),
        ankles=np.array([[front[0], stance, 0, out[0]], [front[1], -stance, 0, -out[1]]]),
        reach=rng.uniform(0.955, 0.99),
        elbows=rng.normal(0, 0.25, (2, 3)),
        pronation=np.radians(rng.uniform(-60, 60, 2)),
        gaze=gaze,
    )
    if kind in AT_TABLE:
        pose.lean = np.radians(rng.uniform(18, 38) if kind == "lean" else rng.uniform(4, 18))
        further = 0.12 if kind == "lean" else 0.0
        pose.hands = [
            np.array(
                [
                    sign * rng.uniform(0.03, 0.24),
                    -rng.uniform(0.34, 0.52) - further,
                    field_height + rng.uniform(-0.04, 0.13),
                ]
            )
            for sign in (1, -1)
        ]
        if kind == "reach":
            side = int(rng.integers(2))
            pose.hands[side] = np.array(
                [(1, -1)[side] * rng.uniform(0.12, 0.6), -rng.uniform(0.4, 0.62), rng.uniform(0.66, 1.1) * tall]
            )
            if rng.random() < 0.4:
                pose.hands[1 - side] = None
    elif kind == "clasp":
        height, far, middle = rng.uniform(0.58, 0.72) * tall, rng.uniform(0.22, 0.34), rng.normal(0, 0.03)
        pose.hands = [np.array([middle + 0.05, -far, height]), np.array([middle - 0.05, -far, height + 0.01])]
        if rng.random() < 0.3:  # arms folded
            pose.hands = [np.array([-0.12, -0.25, height + 0.03]), np.array([0.12, -0.27, height + 0.06])]
    elif kind == "walk":
        step, lead = rng.uniform(0.18, 0.34), int(rng.integers(2))
        ahead = (1, -1) if lead == 0 else (-1, 1)
        out = np.radians(rng.uniform(0, 10, 2))
        pose.ankles = np.array(
            [[ahead[k] * step, sign * 0.09, 0.055 * (ahead[k] < 0), sign * out[k]] for k, sign in enumerate((1, -1))]
        )
        pose.heels = tuple(np.radians(25.0) * (ahead[k] < 0) for k in range(2))
        pose.lean = np.radians(rng.uniform(2, 9))
        if rng.random() < 0.5:  # arms swing against the legs
            swing, heights = rng.uniform(0.1, 0.3, 2), rng.uniform(0.5, 0.55, 2) * tall
            pose.hands = [
                np.array([sign * 0.28, -0.05 + ahead[k] * swing[k], heights[k]]) for k, sign in enumerate((1, -1))
            ]
        else:  # carrying something
            pose.hands = [np.array([sign * 0.18, -0.36, rng.uniform(0.58, 0.66) * tall]) for sign in (1, -1)]
    elif kind == "sit":
        pose.seat = rng.uniform(0.5, 0.6)
        pose.ankles = np.array([[0.36, 0.17, 0, 0.17], [0.36, -0.17, 0, -0.17]])
        pose.lean = np.radians(rng.uniform(0, 18))
        pose.hands = [
            np.array([sign * rng.uniform(0.08, 0.22), -rng.uniform(0.3, 0.5), pose.seat + rng.uniform(0.12, 0.4)])
            for sign in (1, -1)
        ]
    else:  # stand, look
        for k, sign in enumerate((1, -1)):
            if rng.random() < 0.35:
                pose.hands[k] = np.array(
                    [sign * rng.uniform(0.05, 0.3), -rng.uniform(0.2, 0.45), rng.uniform(0.52, 0.85) * tall]
                )
    return pose


def supine_pose(rng: np.random.Generator, shape: Shape, arms_out: tuple[bool, bool], gaze: np.ndarray) -> Pose:
    """A patient's pose before being laid on the back: legs straight.

    Args:
        rng: Source of all randomness.
        shape: Whose pose it is.
        arms_out: For the left and right arm whether it lies out on a board, or along the body.
        gaze: (3,) point to look at, in the body's axes.

    Returns:
        The pose.
    """
    shoulder = shape.heads[shape.model.index["upperarm01.L"]]
    wide, high = abs(shoulder[0]), shoulder[2] - shape.floor
    hands = []
    for out, sign in zip(arms_out, (1, -1), strict=True):
        at = (wide + 0.48, 0.04, high - 0.10) if out else (wide + 0.10, -0.02, high - 0.50)
        hands.append(np.array([sign * at[0], at[1] + rng.normal(0, 0.01), at[2]]))
    turn_out = np.radians(12)
    return Pose(
        ankles=np.array([[0, 0.13, 0, turn_out], [0, -0.13, 0, -turn_out]]),
        reach=0.999,
        hands=hands,
        elbows=np.array([[0.5, 0, 0], [-0.5, 0, 0]]),
        gaze=gaze,
    )
