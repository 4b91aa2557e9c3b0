"""Plain vision transformer of ViTPose (Xu et al., NeurIPS 2022): patches in, one feature map out.

Attention and stochastic depth are timm's. Parameters have the names of mmpose 1.x checkpoints (``layers.0.ln1`` and so
on), so these load and save as they are, and mmpose's layer-wise learning rate decay finds the layers.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from timm.layers import DropPath, resample_abs_pos_embed, trunc_normal_
from timm.models.vision_transformer import Attention
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


@dataclass(frozen=True)
class Architecture:
    """A size of the transformer.

    Attributes:
        width: Channels of a token.
        depth: Number of blocks.
        heads: Attention heads.
        drop_path: Stochastic depth that ViTPose trains it with.
        layer_decay: Layer-wise learning rate decay that ViTPose trains it with.
    """

    width: int
    depth: int
    heads: int
    drop_path: float
    layer_decay: float


# ViTPose's four; "tiny" is DeiT's.
ARCHITECTURES = {
    "tiny": Architecture(192, 12, 3, 0.1, 0.8),
    "small": Architecture(384, 12, 12, 0.1, 0.8),
    "base": Architecture(768, 12, 12, 0.3, 0.75),
    "large": Architecture(1024, 24, 16, 0.5, 0.8),
    "huge": Architecture(1280, 32, 16, 0.55, 0.85),
}


class PatchEmbed(nn.Module):
    """Convolution from (B, C, H, W) to tokens (B, h * w, width).

    Args:
        channels: C.
        width: Channels of a token.
        patch: Side of a patch in pixels.
        padding: Of the convolution.
    """

    def __init__(self, channels: int, width: int, patch: int, padding: int):
        super().__init__()
        self.projection = nn.Conv2d(channels, width, patch, patch, padding)

    def forward(self, images: Tensor) -> Tensor:
        """Cut images into tokens.

        Args:
            images: (B, C, H, W).

        Returns:
            (B, h * w, width).
        """
        return self.projection(images).flatten(2).transpose(1, 2)


class FeedForward(nn.Module):
    """Two linear layers with exact GELU between them; nested as mmpose 1.x checkpoints name them.

    Args:
        width: Channels of a token.
        hidden: Width of the hidden layer.
    """

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.layers = nn.Sequential(nn.Sequential(nn.Linear(width, hidden), nn.GELU()), nn.Linear(hidden, width))

    def forward(self, tokens: Tensor) -> Tensor:
        """Apply the layers.

        Args:
            tokens: (..., width).

        Returns:
            (..., width).
        """
        return self.layers(tokens)


class Block(nn.Module):
    """Pre-norm transformer block on tokens (B, N, width).

    Args:
        width: Channels of a token.
        heads: Attention heads.
        mlp_ratio: Hidden width of the feed-forward layers over ``width``.
        drop_path: Probability of stochastic depth.
    """

    def __init__(self, width: int, heads: int, mlp_ratio: float, drop_path: float):
        super().__init__()
        self.ln1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = Attention(width, num_heads=heads, qkv_bias=True)
        self.ln2 = nn.LayerNorm(width, eps=1e-6)
        self.ffn = FeedForward(width, int(width * mlp_ratio))
        self.drop_path = DropPath(drop_path) if drop_path else nn.Identity()

    def forward(self, tokens: Tensor) -> Tensor:
        """Apply attention and feed-forward layers.

        Args:
            tokens: (B, N, width).

        Returns:
            (B, N, width).
        """
        tokens = tokens + self.drop_path(self.attn(self.ln1(tokens)))
        return tokens + self.drop_path(self.ffn(self.ln2(tokens)))


class ViT(nn.Module):
    """Vision transformer without class token.

    Args:
        arch: A key of `ARCHITECTURES`.
        image_size: (width, height) for which positions are learned, multiples of ``patch``. Other patch-aligned sizes
            also run: positions are interpolated bicubically.
        channels: Channels of the image.
        patch: Side of a patch in pixels.
        padding: Padding of the patch convolution; ViTPose's published one is 2, timm's and MAE's is 0.
        depth: Number of blocks, the architecture's if None.
        mlp_ratio: Hidden width of the feed-forward layers over ``width``.
        drop_path: Stochastic depth of the last block (rates rise linearly from 0), the architecture's if None.
        checkpointing: Trade time for memory in training: blocks are computed again in the backward pass.

    Raises:
        ValueError: Unknown ``arch``, or a size that is no multiple of ``patch``.
    """

    def __init__(
        self,
        arch: str = "base",
        image_size: tuple[int, int] = (192, 256),
        channels: int = 3,
        patch: int = 16,
        padding: int = 2,
        depth: int | None = None,
        mlp_ratio: float = 4.0,
        drop_path: float | None = None,
        checkpointing: bool = False,
    ):
        super().__init__()
        if arch not in ARCHITECTURES:
            raise ValueError(f"ViT: arch is {arch!r}, expected one of {', '.join(ARCHITECTURES)}")
        known = ARCHITECTURES[arch]
        depth = known.depth if depth is None else depth
        drop_path = known.drop_path if drop_path is None else drop_path
        self.patch, self.checkpointing = patch, checkpointing
        self.grid = self.grid_of(image_size[1], image_size[0])
        self.patch_embed = PatchEmbed(channels, known.width, patch, padding)
        self.pos_embed = nn.Parameter(torch.zeros(1, self.grid[0] * self.grid[1], known.width))
        rates = torch.linspace(0, drop_path, depth).tolist()
        self.layers = nn.ModuleList(Block(known.width, known.heads, mlp_ratio, rate) for rate in rates)
        self.ln1 = nn.LayerNorm(known.width, eps=1e-6)
        self.init_parameters()

    def init_parameters(self) -> None:
        """Positions and linear layers from a truncated normal of 0.02, biases zero."""
        trunc_normal_(self.pos_embed, std=0.02)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def grid_of(self, height: int, width: int) -> tuple[int, int]:
        """Grid of patches of an image.

        Args:
            height: Pixels.
            width: Pixels.

        Returns:
            (rows, columns).

        Raises:
            ValueError: A side is no multiple of a patch.
        """
        if height % self.patch or width % self.patch or min(height, width) < self.patch:
            raise ValueError(f"ViT: an image of {width}x{height} pixels, expected multiples of {self.patch}")
        return height // self.patch, width // self.patch

    def positions(self, grid: tuple[int, int]) -> Tensor:
        """Position embeddings of a grid of patches.

        Args:
            grid: (rows, columns).

        Returns:
            (1, rows * columns, width).
        """
        if grid == self.grid:
            return self.pos_embed
        return resample_positions(self.pos_embed, self.grid, grid)

    def forward(self, images: Tensor) -> Tensor:
        """Features of images.

        Args:
            images: (B, channels, h * patch, w * patch).

        Returns:
            (B, width, h, w).
        """
        rows, columns = grid = self.grid_of(images.shape[-2], images.shape[-1])
        tokens = self.patch_embed(images) + self.positions(grid)
        for layer in self.layers:
            if self.checkpointing and self.training:
                tokens = checkpoint(layer, tokens, use_reentrant=False)
            else:
                tokens = layer(tokens)
        return self.ln1(tokens).transpose(1, 2).unflatten(2, (rows, columns))


def resample_positions(positions: Tensor, old: tuple[int, int], new: tuple[int, int]) -> Tensor:
    """Positions of one grid for another one, bicubically.

    Args:
        positions: (1, N, width).
        old: (rows, columns) that they are for.
        new: (rows, columns) wanted.

    Returns:
        (1, rows * columns, width).
    """
    return resample_abs_pos_embed(positions, list(new), list(old), num_prefix_tokens=0, antialias=False)
