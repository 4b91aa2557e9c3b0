"""A refiner on top of any 2D pose with an aligned depth image, for any camera and joint set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from orplugins.geometry.cameras import Camera
from orplugins.refinet.body_size import contradicted
from orplugins.refinet.confidence import joint_confidence
from orplugins.refinet.depth_camera import DepthCamera
from orplugins.refinet.lift import LiftSettings, lift
from orplugins.refinet.resample import Resampler, to_metres
from orplugins.refinet.steps import RefinedPoses
from orplugins.skeletons import ITOP_15, Skeleton, convert

CONTRADICTED_TRUST = 0.2


class Refines(Protocol):
    """A chain of RefiNet's modules, whoever runs the networks."""

    def refine(
        self, depth_mm: np.ndarray, pixels: np.ndarray, present: np.ndarray, camera: DepthCamera
    ) -> RefinedPoses:
        """Refine people, see `orplugins.refinet.steps.RefineSteps.refine`."""


@dataclass(frozen=True)
class Refined3D:
    """M people of a frame in ITOP-15, in the camera's axes (x right, y down, z forward).

    Attributes:
        points: (M, 15, 3) metres, zeros where missing.
        plain: (M, 15, 3) metres, plain lifting: the 2D pose at the depth of its pixels.
        pixels: (M, 15, 2) refined, in the given image.
        valid, hidden: (M, 15) bool.
        confidence: (M, 15), see `joint_confidence`; a fifth of the 2D score at most where the depth makes every bone at
            a joint longer than anybody's.
    """

    points: np.ndarray
    plain: np.ndarray
    pixels: np.ndarray
    valid: np.ndarray
    hidden: np.ndarray
    confidence: np.ndarray


class Refiner3D:
    """Refines 2D poses of one camera.

    Args:
        chain: Refines people for ITOP's focal length, as a `orplugins.refinet.chain.RefineChain` in evaluation mode.
        camera: Of the depth image; 2D poses are in its pixels.
        least_score: Minimum score of a 2D joint; others are missing.
    """

    def __init__(self, chain: Refines, camera: Camera, least_score: float = 0.0):
        self.chain, self.resampler, self.least_score = chain, Resampler(camera), least_score

    def __call__(self, depth_mm: np.ndarray, keypoints: np.ndarray, skeleton: Skeleton) -> Refined3D:
        """Refine people (M, J, 3) (x, y, score) of a joint set on a depth image (H, W) in millimetres, 0 = hole."""
        keypoints = np.asarray(keypoints, dtype=np.float64)
        if keypoints.ndim != 3 or keypoints.shape[-1] != 3 or not np.isfinite(keypoints).all():
            raise ValueError(f"keypoints: found shape {keypoints.shape} or NaN, expected finite (M, J, 3)")
        low = keypoints[..., 2:] < self.least_score
        people = convert(np.where(low, 0, keypoints), skeleton, ITOP_15)
        scores = np.minimum(people[..., 2], 1.0)  # COCO's annotations have flags up to 2
        depth, camera = self.resampler.depth(depth_mm), self.resampler.camera
        pixels = self.resampler.joints(people[..., :2])
        result = self.chain.refine(depth, pixels, scores > 0, camera)
        plain = lift(pixels, depth, camera, LiftSettings("pixel", holes="person"), scores > 0)[0]
        confidence, hidden = joint_confidence(result.points, result.valid, scores, depth, camera)
        impossible = contradicted(result.points / 1000, result.valid)
        confidence = np.where(impossible, np.minimum(confidence, CONTRADICTED_TRUST * scores), confidence)
        moved = np.where(result.valid[..., None], self.resampler.back(camera.project(result.points)), 0.0)
        return Refined3D(to_metres(result.points), to_metres(plain), moved, result.valid, hidden, confidence)
