"""A standing person made of simple solids, with the places of its joints.

Proportions are fractions of the body height after Drillis and Contini's segment lengths (as tabulated by Winter,
"Biomechanics and Motor Control of Human Movement"). What tells front from back in a depth image is kept: a nose, feet
that point forwards, a torso wider than deep, and arms that work in front of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from orplugins.synthetic.raycast import Ball, Ellipsoid, Limb

# How far the body's surface may lie in front of each COCO joint for the joint to count as seen, metres: the joint's
# depth inside its own body part. More than that in front of it is another body part or another thing.
COVER = np.array([0.04, 0.04, 0.04, 0.05, 0.05, 0.12, 0.12, 0.09, 0.09, 0.08, 0.08, 0.2, 0.2, 0.13, 0.13, 0.11, 0.11])


@dataclass(frozen=True)
class Body:
    """solids: list of raycast solids; joints (17, 3) in COCO order; hands (2, 3) left, right. Metres, z up."""

    solids: list
    joints: np.ndarray
    hands: np.ndarray


def random_body(rng: np.random.Generator, place: np.ndarray, yaw: float) -> Body:
    """A person of 1.55 to 1.95 m in a working pose.

    Parameters
    ----------
    rng : all randomness comes from it.
    place : (2,) point of the floor below the hips, metres.
    yaw : direction the hips face, radians from the x axis.
    """
    height = rng.uniform(1.55, 1.95)
    girth = height * rng.uniform(0.88, 1.2)  # scales thickness
    up = np.array([0.0, 0.0, 1.0])
    front = np.array([np.cos(yaw), np.sin(yaw), 0.0])
    left = _cross(up, front)
    solids: list = []

    # The trunk leans, then twists about its own axis.
    lean, tilt, twist = rng.uniform(-0.03, 0.5) * rng.uniform(0.2, 1), rng.normal(0, 0.05), rng.normal(0, 0.17)
    hips = np.array([place[0], place[1], height * rng.uniform(0.505, 0.53)]) - front * np.sin(lean) * 0.08 * height
    spine = _unit(up + np.tan(lean) * front + np.tan(tilt) * left)
    chest_left = _unit(left * np.cos(twist) - front * np.sin(twist))
    chest_left = _unit(chest_left - spine * (chest_left @ spine))
    chest_front = _cross(chest_left, spine)
    neck = hips + 0.288 * height * spine
    shoulders = [neck + side * 0.107 * height * chest_left - 0.012 * height * spine for side in (1, -1)]
    hip_joints = [hips + side * 0.052 * height * left for side in (1, -1)]

    pelvis_axes = np.stack([left, front, up])
    chest_axes = np.stack([chest_left, chest_front, spine])
    solids.append(Ellipsoid(hips + 0.02 * height * up, pelvis_axes, np.array([0.096, 0.07, 0.085]) * girth))
    solids.append(Ellipsoid(hips + 0.11 * height * spine, chest_axes, np.array([0.085, 0.063, 0.11]) * girth))
    solids.append(Ellipsoid(hips + 0.205 * height * spine, chest_axes, np.array([0.098, 0.066, 0.105]) * girth))
    solids.append(Limb(shoulders[0], shoulders[1], 0.036 * girth, 0.036 * girth))
    if rng.random() < 0.4:  # a gown
        solids.append(Ellipsoid(hips - 0.07 * height * up, pelvis_axes, np.array([0.108, 0.085, 0.2]) * girth))

    # The head turns against the chest and looks up or down.
    turn, nod = rng.normal(0, 0.35), rng.uniform(-0.15, 0.75) * rng.uniform(0.2, 1)
    gaze = _unit(chest_front * np.cos(turn) + chest_left * np.sin(turn))
    gaze = _unit(gaze - up * (gaze @ up))
    head_left = _cross(up, gaze)
    face = _unit(gaze * np.cos(nod) - up * np.sin(nod))
    crown = _cross(face, head_left)
    head = neck + (0.055 * _unit(spine + 0.6 * up) + 0.062 * _unit(crown + 0.4 * up)) * height
    solids.append(Ellipsoid(head, np.stack([head_left, face, crown]), np.array([0.045, 0.057, 0.066]) * height))
    solids.append(Limb(neck - 0.01 * height * spine, head - 0.03 * height * crown, 0.036 * girth, 0.032 * girth))
    # The joint is the centre of the nose's round tip, so that a ray to it meets the nose.
    nose = head + (0.062 * face - 0.008 * crown) * height
    solids += [Limb(head + (0.045 * face + 0.01 * crown) * height, nose, 0.016, 0.012), Ball(nose, 0.012)]
    eyes = [head + (0.046 * face + side * 0.019 * head_left + 0.009 * crown) * height for side in (1, -1)]
    ears = [head + (side * 0.043 * head_left - 0.002 * face) * height for side in (1, -1)]
    for ear in ears:
        solids.append(Ellipsoid(ear, np.stack([head_left, face, crown]), np.array([0.006, 0.013, 0.018]) * height))

    elbows, wrists, hands = _arms(rng, solids, shoulders, hips, chest_front, chest_left, up, height, girth)
    knees, ankles = _legs(rng, solids, hip_joints, place, front, left, up, height, girth)

    pairs = zip(eyes, ears, shoulders, elbows, wrists, hip_joints, knees, ankles, strict=True)
    sides = list(pairs)  # left, right
    joints = [nose] + [point for points in zip(*sides, strict=True) for point in points]
    return Body(solids, np.array(joints), np.array(hands))


def _arms(rng, solids, shoulders, hips, front, left, up, height, girth):
    poses = ["hang", "work", "work", "reach", "fold", "raise"]
    weights = [0.26, 0.25, 0.2, 0.12, 0.09, 0.08]
    both = rng.choice(poses, p=weights)
    upper, lower = 0.186 * height, 0.15 * height
    elbows, wrists, hands = [], [], []
    for side, shoulder in zip((1, -1), shoulders, strict=True):
        pose = both if rng.random() < 0.65 else rng.choice(poses, p=weights)
        outward = side * left
        if pose == "hang":
            offset = [rng.uniform(-0.03, 0.12), rng.uniform(0.0, 0.08), -rng.uniform(0.3, 0.335)]
        elif pose == "work":
            offset = [rng.uniform(0.14, 0.28), rng.uniform(-0.12, 0.05), -rng.uniform(0.1, 0.24)]
        elif pose == "reach":
            offset = [rng.uniform(0.12, 0.3), rng.uniform(-0.05, 0.25), rng.uniform(-0.15, 0.08)]
        elif pose == "fold":
            offset = [rng.uniform(0.09, 0.14), -rng.uniform(0.06, 0.16), -rng.uniform(0.12, 0.2)]
        else:
            offset = [rng.uniform(0.03, 0.2), rng.uniform(-0.02, 0.15), rng.uniform(0.05, 0.28)]
        target = shoulder + height * (offset[0] * front + offset[1] * outward + offset[2] * up)
        pole = -0.4 * front + rng.uniform(0.2, 1.0) * outward - rng.uniform(0.3, 1.0) * up
        elbow, wrist = _two_bones(shoulder, target, upper, lower, pole)
        forearm = _unit(wrist - elbow)
        hand = wrist + 0.055 * height * _unit(forearm + rng.normal(0, 0.25, 3))
        radii = [0.036 * girth, 0.026 * girth, 0.019 * girth, 0.022 * height]
        _chain(solids, [shoulder, elbow, wrist, hand], radii)
        elbows.append(elbow)
        wrists.append(wrist)
        hands.append(hand)
    return elbows, wrists, hands


def _legs(rng, solids, hip_joints, place, front, left, up, height, girth):
    knees, ankles = [], []
    middle = np.array([place[0], place[1], 0.0])
    stance, step = rng.uniform(0.05, 0.085), rng.normal(0, 0.06)
    for side, hip in zip((1, -1), hip_joints, strict=True):
        ankle = middle + height * (side * stance * left + side * step * front + 0.042 * up)
        outward = rng.uniform(0.0, 0.35)
        toes = _unit(front * np.cos(outward) + side * left * np.sin(outward))
        knee, ankle = _two_bones(hip, ankle, 0.25 * height, 0.246 * height, toes)
        _chain(solids, [hip, knee, ankle], [0.05 * girth, 0.034 * girth, 0.025 * girth])
        heel = ankle - height * (0.02 * toes + 0.018 * up)
        _chain(solids, [heel, heel + 0.125 * height * toes], [0.024 * height, 0.019 * height])
        knees.append(knee)
        ankles.append(ankle)
    return knees, ankles


def _chain(solids: list, points: list[np.ndarray], radii: list[float]) -> None:
    """Balls at the points, cones between them."""
    solids += [Ball(point, radius) for point, radius in zip(points, radii, strict=True)]
    for i in range(len(points) - 1):
        solids.append(Limb(points[i], points[i + 1], radii[i], radii[i + 1]))


def _two_bones(root, target, first, second, pole):
    """Middle joint and end of two bones from `root` towards `target`, bent towards `pole`; within reach."""
    direction = target - root
    distance = math.sqrt(direction @ direction)
    direction = direction / distance
    reach = min(max(distance, abs(first - second) + 0.1 * first), 0.995 * (first + second))
    bend = pole - direction * (pole @ direction)
    bend = _unit(bend)
    along = (first**2 - second**2 + reach**2) / (2 * reach)
    middle = root + along * direction + math.sqrt(max(first**2 - along**2, 0.0)) * bend
    return middle, root + reach * direction


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / math.sqrt(vector @ vector)


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cross product of two vectors; np.cross takes twenty times as long on so few numbers."""
    (ax, ay, az), (bx, by, bz) = a.tolist(), b.tolist()
    return np.array([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])
