"""Maps of a trunk merged into one of the finest stride: what is seen at large says which detail is which joint."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class MergedPyramid(nn.Module):
    """From the coarsest map down: enlarge, add the next finer one, smooth by a separable convolution.

    Args:
        in_channels: Of the trunk's maps, finest first.
        channels: Of the merged map.
        kernel: Side of the separable convolutions' window, odd.

    Raises:
        ValueError: An even kernel.
    """

    def __init__(self, in_channels: Sequence[int], channels: int, kernel: int = 5):
        super().__init__()
        if kernel % 2 == 0:
            raise ValueError(f"kernel: found {kernel}, expected an odd number")
        self.laterals = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, channels, 1, bias=False), nn.BatchNorm2d(channels)) for width in in_channels
        )
        self.smooth = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=channels, bias=False),
                nn.BatchNorm2d(channels),
                nn.ReLU(inplace=True),
                nn.Conv2d(channels, channels, 1, bias=False),
                nn.BatchNorm2d(channels),
            )
            for _ in in_channels
        )

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """One map of all.

        Args:
            maps: (B, C, h, w) each, finest first.

        Returns:
            (B, channels, h, w) of the finest map's size.
        """
        laterals = [lateral(one) for one, lateral in zip(maps, self.laterals, strict=True)]
        merged = torch.zeros_like(laterals[-1])
        for own, smooth in zip(laterals[::-1], list(self.smooth)[::-1], strict=True):
            merged = own + F.interpolate(merged, own.shape[-2:], mode="nearest")
            merged = F.relu(merged + smooth(merged))
        return merged
