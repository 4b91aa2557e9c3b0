"""timm's models as a backbone of detectron2, alone or below its feature pyramid."""

from __future__ import annotations

from detectron2.layers import ShapeSpec
from detectron2.modeling.backbone import Backbone
from detectron2.modeling.backbone.build import BACKBONE_REGISTRY
from detectron2.modeling.backbone.fpn import FPN, LastLevelMaxPool

from orplugins.backbones.timm_features import TimmFeatures


class TimmBackbone(Backbone):
    """Maps of any model of timm that has `features_only`, named ``stride4``, ``stride8`` and so on.

    Args:
        name: See `TimmFeatures`.
        strides: See `TimmFeatures`.
        **options: `TimmFeatures`'s others.
    """

    def __init__(self, *, name: str, strides: tuple[int, ...] = (4, 8, 16, 32), **options):
        super().__init__()
        self.features = TimmFeatures(name, tuple(strides), **options)
        self._out_features = [f"stride{stride}" for stride in strides]
        self._out_feature_strides = dict(zip(self._out_features, strides, strict=True))
        self._out_feature_channels = dict(zip(self._out_features, self.features.channels, strict=True))

    @property
    def size_divisibility(self) -> int:
        """Pictures are padded to multiples of it."""
        return self.features.strides[-1]

    def forward(self, images) -> dict:
        """Maps of normalised images (B, 3, H, W), by name."""
        return dict(zip(self._out_features, self.features(images), strict=True))


@BACKBONE_REGISTRY.register()
def build_timm_fpn_backbone(cfg, input_shape: ShapeSpec) -> FPN:
    """detectron2's feature pyramid over the maps of ``ORPLUGINS.TIMM.NAME``: p2 of stride 4, p3 of stride 8 and so on.

    Args:
        cfg: detectron2's config with our keys.
        input_shape: Of the pictures.

    Returns:
        The pyramid, of ``FPN.OUT_CHANNELS``, ``FPN.NORM`` and ``FPN.FUSE_TYPE``, with one more level by pooling.
    """
    keys = cfg.ORPLUGINS.TIMM
    trunk = TimmBackbone(
        name=keys.NAME,
        strides=tuple(keys.STRIDES),
        pretrained=keys.PRETRAINED,
        frozen=tuple(keys.FROZEN),
        fixed_statistics=keys.FIXED_STATISTICS,
    )
    return FPN(
        bottom_up=trunk,
        in_features=trunk._out_features,
        out_channels=cfg.MODEL.FPN.OUT_CHANNELS,
        norm=cfg.MODEL.FPN.NORM,
        top_block=LastLevelMaxPool(),
        fuse_type=cfg.MODEL.FPN.FUSE_TYPE,
    )
