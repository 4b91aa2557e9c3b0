"""Says of every joint whether it is visible, occluded or out of view."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class JointStateBranch(nn.Module):
    """State logits of joints by what is where each of them was found, how clearly it was, and what is in the image.

    The heatmaps say where to look: features are averaged with a joint's heatmap as weights. They are only read: no
    gradient goes back into them.

    Args:
        channels: Channels of the feature map.
        joints: Number of joints K.
        hidden: Width of the hidden layer, which the joints share but for a bias of their own.
    """

    def __init__(self, channels: int, joints: int, hidden: int = 256):
        super().__init__()
        self.joints = joints
        self.place = nn.Linear(channels, hidden)
        self.whole = nn.Linear(2 * channels, hidden)
        self.peak = nn.Linear(1, hidden, bias=False)
        self.joint = nn.Parameter(torch.zeros(joints, hidden))
        self.out = nn.Linear(hidden, 3)
        nn.init.trunc_normal_(self.joint, std=0.02)

    def forward(self, features: Tensor, heatmaps: Tensor) -> Tensor:
        """Logits of the states.

        Args:
            features: (B, C, h, w).
            heatmaps: (B, K, H, W) with peaks of about 1.

        Returns:
            (B, K, 3), in the order of `orplugins.skeletons.STATES`.
        """
        heatmaps = heatmaps.detach()
        flat = features.flatten(2)
        weights = F.adaptive_max_pool2d(heatmaps, features.shape[-2:]).flatten(2).clamp(min=0) + 1e-3
        place = torch.einsum("bkn,bcn->bkc", weights / weights.sum(-1, keepdim=True), flat)
        whole = torch.cat([flat.mean(-1), flat.amax(-1)], 1)
        peak = heatmaps.flatten(2).amax(-1)[..., None]
        hidden = self.place(place) + self.whole(whole)[:, None] + self.peak(peak) + self.joint
        return self.out(F.gelu(hidden))
