"""RefiNet's networks as mmpose backbones. Each gives a tuple of one tensor (B, K, D) of offsets."""

from __future__ import annotations

from mmengine.model import BaseModule

from orplugins.refinet.network import PatchNet, PointCloudNet, SkeletonNet
from orplugins.registry import MODELS


class _Network(BaseModule):
    network: type

    def __init__(self, init_cfg: dict | None = None, **options):
        super().__init__(init_cfg)
        self.net = self.network(**options)

    def forward(self, inputs) -> tuple:
        return (self.net(inputs),)


@MODELS.register_module()
class RefiNetPatchNet(_Network):
    """Module A; arguments of `orplugins.refinet.network.PatchNet`."""

    network = PatchNet


@MODELS.register_module()
class RefiNetSkeletonNet(_Network):
    """Module B; arguments of `orplugins.refinet.network.SkeletonNet`."""

    network = SkeletonNet


@MODELS.register_module()
class RefiNetPointNet(_Network):
    """Module C; arguments of `orplugins.refinet.network.PointCloudNet`."""

    network = PointCloudNet
