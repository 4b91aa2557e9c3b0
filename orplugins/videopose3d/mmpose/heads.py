"""Heads of temporal lifting for any number of output frames, on mmpose's own."""

from __future__ import annotations

import torch
from mmpose.models.heads import TemporalRegressionHead, TrajectoryRegressionHead

from orplugins.registry import MODELS
from orplugins.videopose3d.losses import weighted_mpjpe_loss


class _Dense:
    def dense(self, feats):
        """Outputs of every frame, (B, T, J, 3): frames first, then joints.

        mmpose's heads cut (B, 3 J, T) into joints without turning it, which is right for T = 1 only.
        """
        x = self.conv(feats[-1]).transpose(1, 2)
        return x.reshape(*x.shape[:2], self.num_joints, 3)

    def forward(self, feats):
        """(B T, J, 3), the form in which mmpose joins the targets of a batch."""
        return self.dense(feats).flatten(0, 1)


@MODELS.register_module()
class DenseTemporalHead(_Dense, TemporalRegressionHead):
    """mmpose's head for whole clips; arguments as there."""


@MODELS.register_module()
class RootTrajectoryHead(_Dense, TrajectoryRegressionHead):
    """Root position in camera axes, trained with weight 1 / depth.

    mmpose's head is compared with the root-centred body and weighted by visibility. Arguments as there; ``loss`` is not
    used.
    """

    def loss(self, inputs, batch_data_samples, train_cfg=None) -> dict:
        """``loss_traj`` of a batch whose labels come from ``orplugins.VideoPoseCodec``."""
        labels = [sample.gt_instance_labels for sample in batch_data_samples]
        target = torch.cat([label.trajectory_target for label in labels])
        weight = torch.cat([label.trajectory_weights for label in labels])
        return {"loss_traj": weighted_mpjpe_loss(self.forward(inputs), target, weight)}
