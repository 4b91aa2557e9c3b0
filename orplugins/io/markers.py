"""Markers over time, as TRC and C3D files hold them, and which joints they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orplugins.skeletons import COCO_17

# Joints that other programs call otherwise, in small letters without sides and signs.
_OTHER_NAMES = {"shoulderjoint": "shoulder", "elbowjoint": "elbow", "wristjoint": "wrist", "hipjoint": "hip",
                "kneejoint": "knee", "anklejoint": "ankle"}  # fmt: skip
_SIDES = {"l": "left", "r": "right", "left": "left", "right": "right"}
UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001}


@dataclass(frozen=True, eq=False)
class Markers:
    """Positions of markers.

    Attributes:
        frames: (F,) frame numbers, one after the other.
        points: (F, M, 3) metres, NaN where missing.
        names: Of the M markers.
        fps: Frames a second.
    """

    frames: np.ndarray
    points: np.ndarray
    names: tuple[str, ...]
    fps: float

    def coco(self, where: str) -> np.ndarray:
        """The markers that are joints.

        Args:
            where: The file, for the error.

        Returns:
            (F, 17, 3) COCO-17, NaN where missing.

        Raises:
            ValueError: No marker is a joint, or two are the same one.
        """
        out = np.full((len(self.frames), COCO_17.num_joints, 3), np.nan)
        owner: dict[str, str] = {}
        for k, name in enumerate(self.names):
            joint = joint_of_marker(name)
            if joint is None:
                continue
            if joint in owner:
                raise ValueError(f"{where}: markers {owner[joint]!r} and {name!r} are both the {joint}, expected one")
            owner[joint] = name
            out[:, COCO_17.index(joint)] = self.points[:, k]
        if not owner:
            some = ", ".join(self.names[:8]) or "none"
            raise ValueError(f"{where}: markers {some}, expected names of joints (LShoulder, RHip, Nose)")
        return out


def marker_name(joint: str) -> str:
    """Return a joint's name as markers are called: left_shoulder is LShoulder."""
    side, _, rest = joint.partition("_")
    short = {"left": "L", "right": "R"}.get(side)
    words = rest if short else joint
    return (short or "") + "".join(word.capitalize() for word in words.split("_"))


def joint_of_marker(name: str) -> str | None:
    """The joint of COCO-17 that a marker is, None for all others: LShoulder, R_Hip and left_knee are joints."""
    words = re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+", re.sub(r"[^A-Za-z]+", " ", name))
    small = [word.lower() for word in words]
    side = _SIDES.get(small[0]) if small else None
    rest = "".join(small[1:] if side else small)
    joint = f"{side}_{_OTHER_NAMES.get(rest, rest)}" if side else rest
    return joint if joint in COCO_17.joints else None


def one_after_the_other(frames: Sequence[int]) -> bool:
    """Whether frame numbers rise by one."""
    return bool((np.diff(np.asarray(frames, dtype=np.int64)) == 1).all())
