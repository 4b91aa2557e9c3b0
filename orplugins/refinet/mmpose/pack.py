"""Packing of RefiNet's records."""

from __future__ import annotations

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from orplugins.registry import TRANSFORMS

META = ("row", "index", "img_id", "frame_id", "camera", "cloud_camera", "half_depth")


@TRANSFORMS.register_module()
class PackRefineInputs(BaseTransform):
    """Pack a record as `inputs` and a ``PoseDataSample``.

    The sample has

    - ``gt_instances``: ``keypoints`` (1, 15, 2) px, ``keypoints_3d`` (1, 15, 3) mm, ``keypoints_visible`` (1, 15) as
      the protocol counts, ``keypoints_seen`` (1, 15) whether the label says visible,
    - ``gt_instance_labels``: ``input_pose``, ``truth`` (1, 15, D), ``input_root`` (1, D), ``input_valid``,
      ``keypoint_weights`` (1, 15), and ``keypoint_labels`` where `EncodeOffsets` ran,
    - metainfo: the record's numbers, its camera, ``input_unit``, ``input_scores``, ``flip_indices``.

    Args:
        with_depth: Keep ``depth_mm`` in the metainfo, for metrics that lift 2D poses.
    """

    def __init__(self, with_depth: bool = False):
        self.with_depth = with_depth

    def transform(self, results: dict) -> dict:
        """Pack a record."""
        visible = results["visible"].astype(np.float32)
        sample = PoseDataSample()
        sample.gt_instances = InstanceData(
            keypoints=results["label_px"][None].astype(np.float32),
            keypoints_3d=results["label_mm"][None],
            keypoints_visible=visible[None],
            keypoints_seen=results["label_visible"][None],
        )
        pose = results["pose"].astype(np.float32)
        labels = {
            "input_root": np.asarray(results.get("pose_root", np.zeros(pose.shape[-1])))[None],
            "input_pose": pose[None],
            "truth": results.get("truth", pose)[None],
            "input_valid": results["pose_valid"][None].astype(np.float32),
            "keypoint_weights": visible[None],
        }
        labels |= {key: results[key] for key in ("keypoint_labels", "keypoint_weights") if key in results}
        tensors = {key: torch.from_numpy(np.ascontiguousarray(value, np.float32)) for key, value in labels.items()}
        sample.gt_instance_labels = InstanceData(**tensors)
        meta = {key: results[key] for key in META if key in results}
        meta |= {
            "input_unit": results["pose_unit"],
            "input_scores": results["pose_scores"],
            "flip_indices": results.get("flip_indices"),
        }
        if self.with_depth:
            meta["depth_mm"] = results["depth_mm"]
        sample.set_metainfo(meta)
        inputs = torch.from_numpy(np.ascontiguousarray(results["inputs"], dtype=np.float32))
        return dict(inputs=inputs, data_samples=sample)
