"""Losses and decoding of RefiNet's modules."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.structures import InstanceData
from mmpose.models.heads.base_head import BaseHead
from torch import Tensor

from orplugins.refinet.network import depth_range_loss, masked_joint_distance, masked_joint_mse, symmetry_loss
from orplugins.registry import KEYPOINT_CODECS, MODELS


@MODELS.register_module()
class OffsetHead(BaseHead):
    """Losses and results of a network that gives the offsets; it has no parameters.

    Args:
        decoder: Codec config (``orplugins.JointOffset``).
        loss: ``"mse"``, of the targets (published), or ``"distance"``: the mean distance of refined joints from the
            truth, which joints lifted onto a wall behind the person do not dominate.
        mse_weight, symmetry_weight, range_weight: Alpha, beta and gamma of the paper. The last two need 3D poses.
        average: See `orplugins.refinet.network.masked_joint_mse`.
        feet: See `orplugins.refinet.network.depth_range_loss`.
        keep_missing: A joint that the input does not have stays missing; otherwise it gets the offset added to zeros,
            as published.
        loss_scale: Multiplies all losses. Gradients of squared millimetres are clipped and scaled by Adam anyway.
        init_cfg: As in mmpose.

    Raises:
        ValueError: Another ``loss``.
    """

    def __init__(
        self,
        decoder: dict,
        loss: str = "mse",
        mse_weight: float = 1.0,
        symmetry_weight: float = 0.0,
        range_weight: float = 0.0,
        average: str = "all",
        feet: str = "batch",
        keep_missing: bool = True,
        loss_scale: float = 1.0,
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        if loss not in ("mse", "distance"):
            raise ValueError(f"OffsetHead: loss: found {loss!r}, expected 'mse' or 'distance'")
        self.how = loss
        self.decoder = KEYPOINT_CODECS.build(decoder)
        self.weights = dict(mse=mse_weight, symmetry=symmetry_weight, range=range_weight)
        self.average, self.feet, self.keep_missing, self.loss_scale = average, feet, keep_missing, loss_scale

    def forward(self, feats: tuple[Tensor]) -> Tensor:
        """The network's output (B, K, D), as it is."""
        return feats[-1]

    def loss(self, feats: tuple[Tensor], batch_data_samples: Sequence, train_cfg: dict | None = None) -> dict:
        """Weighted losses.

        Args:
            feats: The backbone's output.
            batch_data_samples: With the labels of `PackRefineInputs`.
            train_cfg: Not used.

        Returns:
            ``loss_mse`` and, where their weights ask for them, ``loss_symmetry`` and ``loss_range``.
        """
        output = self(feats)
        labels = {
            key: _stacked(batch_data_samples, key)
            for key in ("keypoint_labels", "keypoint_weights", "input_pose", "input_root", "truth")
        }
        seen = labels["keypoint_weights"]
        refined = self.decoder.refine(output, labels["input_pose"], labels["input_root"][:, None])
        if self.how == "mse":
            losses = {"loss_mse": masked_joint_mse(output, labels["keypoint_labels"], seen, self.average)}
        else:
            losses = {"loss_mse": masked_joint_distance(refined, labels["truth"], seen)}
        if self.weights["symmetry"] or self.weights["range"]:
            losses["loss_symmetry"] = symmetry_loss(refined, seen)
            losses["loss_range"] = depth_range_loss(refined, labels["truth"], seen, self.feet)
        return {name: loss * self.weights[name[5:]] * self.loss_scale for name, loss in losses.items()}

    def predict(self, feats: tuple[Tensor], batch_data_samples: Sequence, test_cfg: dict | None = None) -> list:
        """Refined poses.

        Args:
            feats: The backbone's output.
            batch_data_samples: With the labels of `PackRefineInputs`.
            test_cfg: Not used.

        Returns:
            ``InstanceData`` per frame: ``keypoints`` (1, K, 2) px or ``keypoints_3d`` (1, K, 3) mm (then ``keypoints``
            are its projection), ``keypoint_scores`` and ``keypoints_valid`` (1, K).
        """
        inputs, valid = (_stacked(batch_data_samples, key) for key in ("input_pose", "input_valid"))
        root = _stacked(batch_data_samples, "input_root")[:, None]
        refined = self.decoder.refine(self(feats), inputs, root)
        if self.keep_missing:
            refined = torch.where(valid[..., None] > 0, refined, torch.zeros_like(refined))
        predictions = []
        poses, flags = refined.float().cpu().numpy(), valid.cpu().numpy()
        for sample, pose, present in zip(batch_data_samples, poses, flags, strict=True):
            pixels, fields = pose, {}
            if pose.shape[-1] == 3:
                pixels, fields = sample.metainfo["camera"].project(pose), {"keypoints_3d": pose[None]}
            scores = sample.metainfo["input_scores"] * present
            predictions.append(
                InstanceData(
                    keypoints=pixels[None], keypoint_scores=scores[None], keypoints_valid=present[None] > 0, **fields
                )
            )
        return predictions


def _stacked(samples: Sequence, key: str) -> Tensor:
    return torch.cat([sample.gt_instance_labels[key] for sample in samples])
