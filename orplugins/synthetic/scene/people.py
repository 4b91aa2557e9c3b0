"""A person of a scene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orplugins.synthetic.scene.human import Body, Pose


@dataclass
class Person:
    """A person in the room.

    Attributes:
        id: 1.. within the scene, the same in every view.
        role: "clinician" or "patient".
        kind: Of pose.
        style: Of clothes.
        body: As posed.
        place: (2,) where a standing person stands.
        yaw: Where a standing person faces, radians.
        pose: As it was solved.
    """

    id: int
    role: str
    kind: str
    style: str
    body: Body
    place: np.ndarray
    yaw: float
    pose: Pose
