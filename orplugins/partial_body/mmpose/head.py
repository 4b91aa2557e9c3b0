"""mmpose's heatmap head with a branch for the state of every joint."""

from __future__ import annotations

from collections import deque

import torch
from mmpose.models.heads import HeatmapHead
from mmpose.utils.tensor_utils import to_numpy
from torch.nn import functional as F

from orplugins.partial_body.state_branch import JointStateBranch
from orplugins.registry import MODELS


@MODELS.register_module()
class JointStateHead(HeatmapHead):
    """Heatmaps, and for every joint the probabilities of out of view, occluded, visible.

    Predictions have the further field ``keypoint_states`` (1, K, 3). Training wants the label ``keypoint_states``
    (1, K), as `orplugins.PackPartialBodyInputs` packs it: 0 out of view, 1 occluded, 2 visible, negative where it is
    not known.

    Args:
        state_weight: Weight of the states' cross entropy.
        state_hidden: Hidden width of the branch.
        **kwargs: Those of `mmpose.models.HeatmapHead`; ``in_channels`` is a number.
    """

    def __init__(self, state_weight: float = 0.001, state_hidden: int = 256, **kwargs):
        super().__init__(**kwargs)
        self.state_weight = state_weight
        self.states = JointStateBranch(self.in_channels, self.out_channels, state_hidden)
        # The parent computes heatmaps (twice in a flip test) and keeps them to itself; the states want them too.
        self._latest: deque = deque(maxlen=2)

    def forward(self, feats):
        """Heatmaps of features.

        Args:
            feats: A tuple of maps (B, C, h', w').

        Returns:
            (B, K, h, w).
        """
        heatmaps = super().forward(feats)
        self._latest.append(heatmaps.detach())
        return heatmaps

    def loss(self, feats, batch_data_samples, train_cfg={}) -> dict:  # noqa: B006 - the parent's signature
        """The parent's losses and ``loss_state``."""
        losses = super().loss(feats, batch_data_samples, train_cfg)
        logits = self.states(feats[-1], self._latest[-1])
        labels = [sample.gt_instance_labels.keypoint_states for sample in batch_data_samples]
        labels = torch.cat(labels)
        losses["loss_state"] = (
            self.state_weight
            * F.cross_entropy(logits.flatten(0, 1), labels.flatten().clamp(min=-1), ignore_index=-1, reduction="sum")
            / max(int((labels >= 0).sum()), 1)
        )
        return losses

    def predict(self, feats, batch_data_samples, test_cfg={}):  # noqa: B006 - the parent's signature
        """The parent's predictions with ``keypoint_states``."""
        predictions = super().predict(feats, batch_data_samples, test_cfg)
        if test_cfg.get("flip_test", False):
            straight, mirrored = feats
            flip = batch_data_samples[0].metainfo["flip_indices"]
            states = self.states(straight[-1], self._latest[0]).softmax(-1)
            states = (states + self.states(mirrored[-1], self._latest[1]).softmax(-1)[:, flip]) / 2
        else:
            states = self.states(feats[-1], self._latest[-1]).softmax(-1)
        instances = predictions[0] if isinstance(predictions, tuple) else predictions
        for instance, probabilities in zip(instances, to_numpy(states), strict=True):
            instance.keypoint_states = probabilities[None]
        return predictions
