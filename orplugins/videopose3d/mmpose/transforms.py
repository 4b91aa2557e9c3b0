"""Mirroring of pose sequences whose input and output have different joints."""

from __future__ import annotations

import numpy as np
from mmcv.transforms import BaseTransform

from orplugins.registry import TRANSFORMS
from orplugins.skeletons import SKELETONS
from orplugins.videopose3d.sequence import mirror, mirror_intrinsics


@TRANSFORMS.register_module()
class MirrorPoseSequence(BaseTransform):
    """Mirror 2D input and 3D target of a window, each with its own left and right joints.

    2D is mirrored about half the image's width, which is x = 0 in screen units; mmpose's ``RandomFlipAroundRoot`` with
    its video configs' settings mirrors pixels about x = 0.5 and knows one joint set only. Mirroring twice changes
    nothing.

    Required keys: keypoints, lifting_target, camera_param; modified: the same.

    Args:
        source, target: Joint sets of the 2D input and of the 3D target.
        prob: Probability; None: exactly the samples whose ``mirror`` is set (a data set that lists each window twice).
    """

    def __init__(self, source: str = "coco_17", target: str = "h36m_17", prob: float | None = None):
        self.source, self.target, self.prob = SKELETONS[source], SKELETONS[target], prob

    def transform(self, results: dict) -> dict:
        """Mirror the sample or leave it."""
        wanted = results.get("mirror", False) if self.prob is None else np.random.rand() < self.prob
        if not wanted:
            return results
        camera = dict(results["camera_param"])
        keypoints = mirror(results["keypoints"], self.source)
        keypoints[..., 0] += camera["w"]
        camera["intrinsics"] = mirror_intrinsics(camera["intrinsics"])
        results.update(
            keypoints=keypoints, lifting_target=mirror(results["lifting_target"], self.target), camera_param=camera
        )
        return results
