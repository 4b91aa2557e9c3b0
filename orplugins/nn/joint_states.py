"""Says of every joint whether it is visible, occluded or out of view."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class JointStateBranch(nn.Module):
    """State logits from a feature map, by what is anywhere in it and what is in it on the whole.

    Args:
        channels: Channels of the map.
        joints: Number of joints K.
        hidden: Width of the hidden layer.
    """

    def __init__(self, channels: int, joints: int, hidden: int = 256):
        super().__init__()
        self.joints = joints
        self.layers = nn.Sequential(nn.Linear(2 * channels, hidden), nn.GELU(), nn.Linear(hidden, 3 * joints))

    def forward(self, features: Tensor) -> Tensor:
        """Logits (B, K, 3), in the order of `orplugins.core.joint_states.STATES`, of features (B, C, h, w)."""
        flat = features.flatten(2)
        return self.layers(torch.cat([flat.mean(-1), flat.amax(-1)], 1)).unflatten(1, (self.joints, 3))
