"""RefiNet as a model file: 2D people and a depth image in, people in metres out, with NumPy and an engine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from orplugins.deploy.engines import Engine
from orplugins.deploy.metadata import Metadata
from orplugins.deploy.pose import Model
from orplugins.geometry.cameras import Camera
from orplugins.refinet.depth_camera import DepthCamera
from orplugins.refinet.refiner import Refiner3D
from orplugins.refinet.steps import MODULES, RefinedPoses, RefineSteps
from orplugins.skeletons import ITOP_15
from orplugins.structures import People

# Names of the graph's inputs and outputs, of the modules that a file has.
INPUTS = {"a": "patches", "b": "poses", "c": "clouds"}
OUTPUTS = {name: f"offsets_{name}" for name in MODULES}


class Refiner(Model):
    """Refines people: ``people3d = refine(people, depth, camera)``.

    The metadata's ``codec``: ``networks``, which of modules a, b and c the file has, and ``steps``, the arguments of
    `orplugins.refinet.steps.RefineSteps`. All modules are in one graph, each with an input and a batch of its own.

    Args:
        engine: Runs the networks.
        metadata: What the file says of itself.
    """

    def __init__(self, engine: Engine, metadata: Metadata):
        super().__init__(engine, metadata)
        codec = metadata.codec
        if codec.get("type") != "refine" or not set(codec["networks"]) <= set(MODULES):
            raise ValueError(f"{engine.path}: metadata: found codec {codec.get('type')!r}, expected 'refine'")
        self.steps = RefineSteps(**codec["steps"])
        self._networks = {name: self._network(name) for name in codec["networks"]}

    def _network(self, name: str):
        part = self.engine.part([INPUTS[name]], [OUTPUTS[name]])

        def run(inputs: np.ndarray) -> np.ndarray:
            inputs = np.ascontiguousarray(inputs, dtype=np.float32)
            return part({INPUTS[name]: trimmed(inputs) if name == "c" else inputs})[OUTPUTS[name]]

        return run

    def refine(
        self, depth_mm: np.ndarray, pixels: np.ndarray, present: np.ndarray, camera: DepthCamera, **options
    ) -> RefinedPoses:
        """The chain alone, as `orplugins.refinet.steps.RefineSteps.refine`: for ITOP's lens, millimetres."""
        return self.steps.refine(self._networks, depth_mm, pixels, present, camera, **options)

    def __call__(self, people: People, depth_mm: np.ndarray, camera: Camera, min_score: float = 0.0) -> People:
        """Refine people that were found in a depth image, or in a colour image that is aligned with it.

        Args:
            people: With joints in the depth image's pixels.
            depth_mm: (H, W) uint16 millimetres, 0 = hole.
            camera: Of the depth image; any lens.
            min_score: 2D joints below it are missing.

        Returns:
            The same people in ITOP-15: refined pixels, and ``points`` in metres in the camera's axes with their
            ``confidence``.

        Raises:
            ValueError: Another size than the camera's, joints that no map to ITOP-15 is known for.
        """
        refined = Refiner3D(self, camera, min_score)(depth_mm, people.filled(), people.skeleton)
        missing = ~refined.valid
        points = np.where(missing[..., None], np.nan, refined.points)
        # A joint that is there has been seen by somebody: a confidence of 0 is no score.
        scores = np.maximum(refined.confidence, 1e-6)
        keypoints = np.where(missing[..., None], np.nan, np.concatenate([refined.pixels, scores[..., None]], axis=-1))
        return replace(
            people,
            keypoints=keypoints,
            skeleton=ITOP_15,
            states=None,
            points=points,
            points_skeleton=ITOP_15,
            points_about="camera",
            confidence=refined.confidence,
        )


def trimmed(clouds: np.ndarray) -> np.ndarray:
    """Point sets without the padding rows that none of them needs; the result of module C is the same.

    Args:
        clouds: (M, K, N + 1, 3), the last row the number of points.

    Returns:
        (M, K, n + 1, 3).
    """
    most = int(clouds[:, :, -1, 0].max(initial=0))
    rows = min(max(most + 1, 2), clouds.shape[2] - 1)  # one row of padding is pooled, as all would be
    return np.concatenate([clouds[:, :, :rows], clouds[:, :, -1:]], axis=2)
