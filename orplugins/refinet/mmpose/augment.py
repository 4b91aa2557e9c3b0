"""Augmentation of RefiNet's records; see `orplugins.refinet.augment`."""

from __future__ import annotations

import numpy as np
from mmcv.transforms import BaseTransform

from orplugins.refinet.augment import dropped_joints, mirror_depth, mirror_joints
from orplugins.registry import TRANSFORMS


@TRANSFORMS.register_module()
class MirrorFrame(BaseTransform):
    """Mirror depth, labels and file pose; before `InitInputPose`. Not for point clouds from files.

    Args:
        prob: Probability.
    """

    def __init__(self, prob: float = 0.5):
        if not 0 <= prob <= 1:
            raise ValueError(f"MirrorFrame: prob: found {prob!r}, expected 0 to 1")
        self.prob = prob

    def transform(self, results: dict) -> dict:
        """Mirror a record."""
        if np.random.uniform() >= self.prob:
            return results
        if "cloud_points" in results:
            raise ValueError("MirrorFrame: found point clouds from a file, expected cloud='depth'")
        camera = results["camera"]
        results["depth_mm"] = mirror_depth(results["depth_mm"], camera)
        results["label_px"] = mirror_joints(results["label_px"], camera)
        results["label_mm"] = mirror_joints(results["label_mm"])
        for key in ("visible", "label_visible"):
            results[key] = mirror_joints(results[key][:, None])[:, 0]
        if results["file_pose"] is not None:
            pixels = results["file_format"].startswith("px")
            results["file_pose"] = mirror_joints(results["file_pose"], camera if pixels else None)
        return results


@TRANSFORMS.register_module()
class DropJoints(BaseTransform):
    """Take joints out of an input pose in pixels, as detectors and the image's border do; after `InitInputPose`.

    The truth stays, so module B learns to do without them.

    Args:
        each: Probability of each joint by itself.
        border: Probability that all joints beyond a line across the pose are gone.
    """

    def __init__(self, each: float = 0.03, border: float = 0.2):
        if not (0 <= each <= 1 and 0 <= border <= 1):
            raise ValueError(f"DropJoints: found each {each!r}, border {border!r}, expected 0 to 1")
        self.each, self.border = each, border

    def transform(self, results: dict) -> dict:
        """Take joints out of ``pose`` of a record."""
        if results["pose_unit"] != "px":
            raise ValueError(f"DropJoints: found a pose in {results['pose_unit']}, expected pixels")
        gone = dropped_joints(results["pose"], self.each, self.border, np.random)
        results["pose"] = np.where(gone[:, None], 0, results["pose"])
        results["pose_valid"] = results["pose_valid"] & ~gone
        results["pose_scores"] = results["pose_scores"] * ~gone
        return results
