"""DepthPose trunk as a mmpose backbone."""

from __future__ import annotations

from mmengine.model import BaseModule

from orplugins.depthpose.network import DepthPoseTrunk, TrunkOutput, init_depthpose
from orplugins.registry import MODELS


@MODELS.register_module()
class DepthPoseBackbone(BaseModule):
    """Super-resolution steps and VGG extractor.

    Args:
        init: ``"trainable"`` or ``"published"``, see `orplugins.depthpose.network.init_depthpose`.
        init_cfg: mmengine's own initialisation (``Pretrained``); it is applied after ``init``.
        **trunk: Arguments of `orplugins.depthpose.network.DepthPoseTrunk`; none give the published network.
    """

    def __init__(self, init: str = "trainable", init_cfg: dict | None = None, **trunk):
        super().__init__(init_cfg)
        self.init = init
        self.trunk = DepthPoseTrunk(**trunk)

    def init_weights(self) -> None:
        """Initialise the convolutions, then apply ``init_cfg``."""
        init_depthpose(self.trunk, self.init)
        super().init_weights()

    def forward(self, inputs) -> TrunkOutput:
        """Extract features.

        Args:
            inputs: (N, 1, H, W) depth in [0, 1].

        Returns:
            What `orplugins.depthpose.mmpose.head.PAFHead` takes.
        """
        return self.trunk(inputs)
