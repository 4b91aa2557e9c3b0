"""Test-time augmentation with joints, which detectron2's refuses: all versions' joints are mapped back and averaged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from detectron2.config import CfgNode
from detectron2.data import transforms as T
from detectron2.modeling import GeneralizedRCNNWithTTA, detector_postprocess

from orplugins.skeletons import COCO_17


def merge_keypoints(
    versions: Sequence[np.ndarray],
    transforms: Sequence[T.TransformList],
    flip_indices: Sequence[int] = COCO_17.flip_indices,
) -> np.ndarray:
    """Average joints that were found in several versions of a picture.

    Args:
        versions: Of each version, (N, K, 3) x, y, score of the same N people in its pixels.
        transforms: From the picture to each version: resizes and mirror images.
        flip_indices: Order of a mirrored person's joints.

    Returns:
        (N, K, 3) x, y in pixels of the picture and score, means over the versions.
    """
    found = []
    for joints, transform in zip(versions, transforms, strict=True):
        joints = np.array(joints, dtype=np.float64)
        back = transform.inverse().apply_coords(joints[..., :2].reshape(-1, 2)).reshape(*joints.shape[:2], 2)
        joints = np.concatenate([back, joints[..., 2:]], axis=-1)
        if sum(isinstance(each, T.HFlipTransform) for each in transform.transforms) % 2:
            joints = joints[:, list(flip_indices)]
        found.append(joints)
    return np.mean(found, axis=0)


class KeypointTTA(GeneralizedRCNNWithTTA):
    """detectron2's test-time augmentation, for boxes, masks and joints.

    Args:
        cfg: The config; ``TEST.AUG`` says which versions of a picture there are.
        model: The model.
        **options: `GeneralizedRCNNWithTTA`'s.
    """

    def __init__(self, cfg: CfgNode, model: torch.nn.Module, **options):
        stock = cfg.clone()
        stock.defrost()
        stock.MODEL.KEYPOINT_ON = False  # what the host's class refuses
        super().__init__(stock, model, **options)
        self.masks, self.keypoints = cfg.MODEL.MASK_ON, cfg.MODEL.KEYPOINT_ON

    def _inference_one_image(self, input: dict) -> dict:
        size = input["height"], input["width"]
        versions, transforms = self._get_augmented_inputs(input)
        with self._turn_off_roi_heads(["mask_on", "keypoint_on"]):
            boxes = self._get_augmented_boxes(versions, transforms)
        merged = self._merge_detections(*boxes, size)
        if self.masks or self.keypoints:
            given = self._rescale_detected_boxes(versions, merged, transforms)
            outputs = self._batch_inference(versions, given)
            if self.masks:
                merged.pred_masks = self._reduce_pred_masks(outputs, transforms)
            if self.keypoints:
                joints = merge_keypoints([each.pred_keypoints.cpu().numpy() for each in outputs], transforms)
                merged.pred_keypoints = torch.as_tensor(joints, dtype=torch.float32, device=merged.scores.device)
        return {"instances": detector_postprocess(merged, *size)}
