"""ORPose-Color's lifting network for `orplugins.export`: a file of joint statistics and one of weights."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from orplugins.deploy.metadata import InputSpec, Metadata, Source
from orplugins.export.plan import Plan
from orplugins.geometry.pose_error import mpjpe
from orplugins.orpose_color.lifting import COCO_TO_H36
from orplugins.orpose_color.network import JointStatistics
from orplugins.orpose_color.statistics import load_statistics
from orplugins.orpose_color.train_lifter import load_lifter
from orplugins.skeletons import COCO_17, H36M_17
from orplugins.structures import People
from orplugins.synthetic.motion_points import body_motion, in_skeleton, look_at, observe

CALIBRATION_SEED, TEST_SEED, TEST_POSES = 77, 78, 200


class LiftedJoints(nn.Module):
    """COCO joints (N, 17, 2) in pixels to H36M-17 (N, 17, 3) in metres about the pelvis."""

    coco_to_h36: Tensor

    def __init__(self, network: nn.Module, statistics: JointStatistics):
        super().__init__()
        self.network, self.statistics = network, statistics
        self.register_buffer("coco_to_h36", torch.tensor(COCO_TO_H36, dtype=torch.float32))

    def forward(self, keypoints: Tensor) -> Tensor:
        """Lift."""
        rows = self.statistics.row(self.coco_to_h36 @ keypoints)
        return self.statistics.metres(self.network(rows))


class RowPlan(Plan):
    """The lifter, see `orplugins.export.plan.Plan`."""

    outputs = ("points",)
    dynamic = {"keypoints": {0: "people"}}
    unquantised_first = 2  # the joints' map, and the first layer

    def __init__(self, config: str, weights: str):
        self.statistics = load_statistics(config)
        self.module = LiftedJoints(load_lifter(weights), JointStatistics(self.statistics, stored=True)).eval()
        self.examples = {"keypoints": torch.rand(2, 17, 2, generator=torch.Generator().manual_seed(0)) * 300}

    def metadata(self, source: Source, opset: int, precision: str) -> Metadata:
        """What the file says of itself."""
        spec = InputSpec("keypoints", "px")
        return Metadata("orpose-lifter", spec, {"type": "rows"}, source, opset, precision, COCO_17, H36M_17)

    def feeds(self, count: int) -> Iterator[dict[str, np.ndarray]]:
        """Generated poses where the statistics say that people are seen."""
        pixels, _ = self._poses(count, CALIBRATION_SEED)
        for pose in pixels:
            yield {"keypoints": pose[None]}

    def score(self, model) -> dict[str, float]:
        """Mean distance from a generated person's joints about the pelvis, millimetres."""
        pixels, points = self._poses(TEST_POSES, TEST_SEED)
        keypoints = np.concatenate([pixels, np.ones((*pixels.shape[:2], 1))], axis=-1)
        found = model(People("", keypoints, COCO_17)).points
        return {"MPJPE mm": 1000 * mpjpe(found, points - points[:, :1])}

    def _poses(self, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """COCO pixels (F, 17, 2) and H36M-17 in the camera's axes (F, 17, 3), metres.

        The camera has the image whose middle and spread the statistics know: pixels are brought to them.
        """
        motion = body_motion(np.random.default_rng(seed), count, fps=2.0)
        camera = look_at((3.6, -2.6, 2.2), (0, 0, 0.9))
        pixels = observe(camera, in_skeleton(motion, COCO_17))[..., :2]
        mean, std = (values.reshape(-1, 2).mean(0) for values in self.statistics.row)
        flat = pixels.reshape(-1, 2)
        scaled = (pixels - flat.mean(0)) / flat.std() * std.mean() + mean
        return scaled.astype(np.float32), camera.world_to_camera(in_skeleton(motion, H36M_17))
