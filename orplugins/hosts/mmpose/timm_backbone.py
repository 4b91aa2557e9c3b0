"""timm's models as a backbone of mmpose."""

from __future__ import annotations

from mmengine.model import BaseModule

from orplugins.backbones.timm_features import TimmFeatures
from orplugins.registry import MODELS


@MODELS.register_module()
class TimmBackbone(TimmFeatures, BaseModule):
    """Maps of any model of timm that has `features_only`; arguments as of `TimmFeatures`."""

    def __init__(
        self,
        name: str,
        strides: tuple[int, ...] = (32,),
        pretrained: str = "",
        frozen: tuple[str, ...] = (),
        fixed_statistics: bool = False,
        init_cfg: dict | None = None,
    ):
        super().__init__(name, tuple(strides), pretrained, tuple(frozen), fixed_statistics)
        self.init_cfg = init_cfg
