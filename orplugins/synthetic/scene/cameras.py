"""Three calibrated RGB-D cameras under the ceiling, hung like MVOR's: two that face each other and one across."""

from __future__ import annotations

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.synthetic.scene.geometry import UP, rotation, unit
from orplugins.synthetic.scene.room import SIZE

FULL_SIZE = (640, 480)
MOST_VIEWS = 3

# Bearing from the room's middle, distance and height of each camera, metres.
_SLOTS = ((np.pi - 0.15, 2.45, 2.50), (0.35, 2.45, 2.58), (1.85, 2.30, 2.65))


def hang_cameras(rng: np.random.Generator, views: int, varied: bool) -> list[Camera]:
    """Cameras with poses in the room and images of 640x480.

    Args:
        rng: Source of all randomness.
        views: How many of the three.
        varied: Turn the whole rig to any bearing and vary distances and heights more: for training, not for a fixed
            room.

    Returns:
        The cameras.
    """
    heading = rng.uniform(0, 2 * np.pi) if varied else rng.normal(0, 0.08)
    cameras = []
    for bearing, away, high in _SLOTS:
        angle = bearing + heading + rng.normal(0, 0.1)
        away, high = away + rng.uniform(-0.2, 0.2) * varied, high + rng.normal(0, 0.15 if varied else 0.06)
        limit = SIZE[:2] / 2 - 0.25
        place = np.array([1.08 * away * np.cos(angle), away * np.sin(angle), np.clip(high, 2.25, 2.85)])
        place[:2] = np.clip(place[:2], -limit, limit)
        target = np.array([*rng.normal(0, 0.15, 2), rng.uniform(0.75, 1.0)])
        if varied:
            target[:2] += rng.normal(0, 0.25, 2)
        forward = unit(target - place)
        right = rotation(forward, rng.normal(0, 0.03)) @ unit(np.cross(forward, UP))
        pose = np.eye(4)
        pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
        pose[:3, 3] = place
        focal = rng.uniform(532, 545)
        cameras.append(
            Camera(
                fx=focal,
                fy=focal * rng.uniform(0.998, 1.0),
                cx=319.5 + rng.normal(0, 3),
                cy=239.5 + rng.normal(0, 2),
                size=FULL_SIZE,
                pose=pose,
            )
        )
    # All three are drawn always, so that the first ones do not depend on how many are wanted.
    return cameras[:views]
