"""2D joints of images by any COCO-17 model of mmpose."""

from __future__ import annotations

import numpy as np
from mmpose.apis import MMPoseInferencer

from orplugins.skeletons import COCO_17


class Pose2D:
    """mmpose's inferencer, one image at a time.

    Args:
        pose2d: Name of a model, or its config.
        weights: Its weights; None: those that mmpose downloads.
        det_model: Person detector, or "whole_image".
        device: Name of a torch device.

    Raises:
        ValueError: The model has another number of joints than 17.
    """

    def __init__(self, pose2d: str, weights: str | None, det_model: str | None, device: str):
        self.run = MMPoseInferencer(pose2d=pose2d, pose2d_weights=weights, det_model=det_model, device=device)
        joints = (self.run.inferencer.model.dataset_meta or {}).get("num_keypoints", COCO_17.num_joints)
        if joints != COCO_17.num_joints:
            raise ValueError(f"--pose2d {pose2d}: {joints} joints, expected COCO's 17")

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Return the people (N, 17, 3) of an image (H, W, 3) BGR or depth (H, W): x, y in pixels, score."""
        people = next(self.run(image))["predictions"][0]
        poses = [np.column_stack([person["keypoints"], person["keypoint_scores"]]) for person in people]
        return np.array(poses, dtype=np.float64).reshape(-1, COCO_17.num_joints, 3)
