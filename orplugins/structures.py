"""What travels between rooms: people of a frame, and cameras. Constructors refuse what does not fit together.

Missing is NaN in memory; zeros stand for it only in files and at a host's edge (`Poses2D.filled`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.skeletons import Skeleton

Size = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Poses2D:
    """The N people of one frame.

    Attributes:
        frame: The frame's key: the path of its image, or its number, as the file writes it.
        keypoints: (N, K, 3) x, y in pixels and a score above 0; NaN where a joint is missing.
        skeleton: The joint set.
        number: The frame's number in its recording, None where frames have names only.
        size: (width, height) of the image, None where the file does not say.
        scores: (N,) of the people.

    Raises:
        ValueError: Shapes that do not fit, infinite coordinates, a score that is not above 0, a size below 1.
    """

    frame: str
    keypoints: np.ndarray
    skeleton: Skeleton
    number: int | None = None
    size: Size | None = None
    scores: np.ndarray | None = None

    def __post_init__(self):
        keypoints = np.asarray(self.keypoints, dtype=np.float64)
        if keypoints.ndim != 3 or keypoints.shape[1:] != (self.skeleton.num_joints, 3):
            raise ValueError(
                f"frame {self.frame}: keypoints have shape {keypoints.shape}, expected "
                f"(N, {self.skeleton.num_joints}, 3) for {self.skeleton.name}"
            )
        missing = np.isnan(keypoints).any(-1)
        keypoints = np.where(missing[..., None], np.nan, keypoints)
        if np.isinf(keypoints).any() or (keypoints[~missing][:, 2] <= 0).any():
            raise ValueError(f"frame {self.frame}: keypoints hold infinity or a score of 0, expected NaN where missing")
        if self.size is not None and min(self.size) < 1:
            raise ValueError(f"frame {self.frame}: size is {self.size}, expected (width, height) above 0")
        scores = np.ones(len(keypoints)) if self.scores is None else np.asarray(self.scores, dtype=np.float64)
        if scores.shape != (len(keypoints),):
            raise ValueError(f"frame {self.frame}: {scores.shape} scores for {len(keypoints)} people")
        object.__setattr__(self, "keypoints", keypoints)
        object.__setattr__(self, "scores", scores)

    def filled(self) -> np.ndarray:
        """Return (N, K, 3) with zeros where a joint is missing, as `orplugins.skeletons.convert` and files have it."""
        return np.nan_to_num(self.keypoints, nan=0.0)


@dataclass(frozen=True)
class Rig:
    """Calibrated cameras of one world.

    Attributes:
        cameras: In the order of the file.
        names: One per camera.
        up: (3,) the world's vertical, or None where it is not known.
        notes: What the file does not say and was taken for granted, or was left out: one sentence each.
    """

    cameras: list[Camera]
    names: list[str]
    up: np.ndarray | None
    notes: tuple[str, ...] = ()


NO_JOINTS = Skeleton("no_joints", (), ())


@dataclass(frozen=True, eq=False)
class People(Poses2D):
    """The N people of one frame, with all that a network says of them.

    A detector's people have boxes and no joints (`NO_JOINTS`); a network that finds joints without boxes gives none.

    Attributes:
        boxes: (N, 4) x1, y1, x2, y2 in pixels, None where the network finds none.
        labels: N class names, where the network tells classes.
        states: (N, K, 3) probabilities of `orplugins.skeletons.STATES`, where the network tells them.
        points: (N, J, 3) metres, x right, y down, z forward, NaN where missing; None without 3D.
        points_skeleton: The joint set of `points`.
        points_about: What `points` are relative to: ``"camera"``, or ``"root"``, the first joint (of H36M the pelvis).
        confidence: (N, J) of `points`, 0 to 1, where it is known.

    Raises:
        ValueError: Shapes that do not fit the number of people, or points without a joint set.
    """

    boxes: np.ndarray | None = None
    labels: tuple[str, ...] | None = None
    states: np.ndarray | None = None
    points: np.ndarray | None = None
    points_skeleton: Skeleton | None = None
    points_about: str = "camera"
    confidence: np.ndarray | None = None

    def __post_init__(self):
        super().__post_init__()
        people = len(self.keypoints)
        wanted: dict[str, tuple[int, ...]] = {"boxes": (people, 4), "states": (people, self.skeleton.num_joints, 3)}
        if self.points is not None:
            if self.points_skeleton is None or self.points_about not in ("camera", "root"):
                raise ValueError(f"frame {self.frame}: points need a joint set, and lie about the camera or the root")
            wanted["points"] = (people, self.points_skeleton.num_joints, 3)
            wanted["confidence"] = wanted["points"][:2]
        for name, shape in wanted.items():
            value = getattr(self, name)
            if value is None:
                continue
            value = np.asarray(value, dtype=np.float64)
            if value.shape != shape:
                raise ValueError(f"frame {self.frame}: {name} have shape {value.shape}, expected {shape}")
            object.__setattr__(self, name, value)
        if self.labels is not None and len(self.labels) != people:
            raise ValueError(f"frame {self.frame}: {len(self.labels)} labels for {people} people")

    def __len__(self) -> int:
        return len(self.keypoints)
