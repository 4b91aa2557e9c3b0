"""The vision transformer as a mmpose backbone."""

from __future__ import annotations

from mmengine.model import BaseModule

from orplugins.io.weights import listed, misfits
from orplugins.partial_body.checkpoint import convert_vit, unwrap
from orplugins.partial_body.vit import ViT as Network
from orplugins.registry import MODELS


@MODELS.register_module()
class ViT(Network, BaseModule):
    """Vision transformer of ViTPose; reads checkpoints of mmpose 0.x and 1.x, timm and MAE, without mmpretrain.

    Positions are brought to the model's grid while a checkpoint loads. A checkpoint that leaves a parameter of the
    backbone at random, or does not fit one, is refused with a list.

    Args:
        checkpoint_grid: (rows, columns) of a checkpoint's positions, where their number does not tell.
        init_cfg: mmengine's own initialisation, such as ``dict(type='Pretrained', checkpoint='mae_vit_base.pth')``.
        **network: Arguments of `orplugins.partial_body.vit.ViT`.
    """

    def __init__(self, checkpoint_grid: tuple[int, int] | None = None, init_cfg: dict | None = None, **network):
        super().__init__(**network)
        self.init_cfg = init_cfg
        self.checkpoint_grid = checkpoint_grid

    def _load_from_state_dict(self, state_dict, prefix, *args):
        trunk = "backbone." if not prefix else prefix
        tensors = state_dict if prefix else unwrap(state_dict)
        own = {key.removeprefix(trunk): value for key, value in tensors.items() if key.startswith(trunk)}
        converted = convert_vit(own or dict(tensors), self.grid, self.checkpoint_grid)
        lines = misfits(converted, self.state_dict())
        if lines:
            raise ValueError("the checkpoint does not fit the ViT backbone:" + listed(lines))
        for key in [key for key in state_dict if key.startswith(prefix)]:
            del state_dict[key]
        state_dict.update({prefix + key: value for key, value in converted.items()})
        super()._load_from_state_dict(state_dict, prefix, *args)

    def forward(self, images):
        """Features of images.

        Args:
            images: (B, 3, H, W).

        Returns:
            A tuple with one map (B, width, H / 16, W / 16).
        """
        return (super().forward(images),)
