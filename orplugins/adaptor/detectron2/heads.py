"""AdaptOR's heads: joints with normalisation, boxes with a focal loss. The mask head is detectron2's own."""

from __future__ import annotations

from detectron2.config import CfgNode, configurable
from detectron2.layers import Conv2d, ShapeSpec, cat, get_norm
from detectron2.modeling.roi_heads import ROI_HEADS_REGISTRY, StandardROIHeads
from detectron2.modeling.roi_heads.fast_rcnn import FastRCNNOutputLayers
from detectron2.modeling.roi_heads.keypoint_head import ROI_KEYPOINT_HEAD_REGISTRY, KRCNNConvDeconvUpsampleHead
from detectron2.modeling.roi_heads.mask_head import ROI_MASK_HEAD_REGISTRY, MaskRCNNConvUpsampleHead
from detectron2.structures import Instances
from torch import Tensor, nn

from orplugins.adaptor.losses import GAMMA, focal_loss

BOX_LOSSES = ("CE", "FocalLoss")


@ROI_KEYPOINT_HEAD_REGISTRY.register()
class KRCNNConvDeconvUpsampleHeadGN(KRCNNConvDeconvUpsampleHead):
    """detectron2's keypoint head with a norm after every convolution; without one it is the stock head.

    Args:
        input_shape: Of the pooled features.
        num_keypoints, conv_dims: As for the stock head.
        norm: A name that `detectron2.layers.get_norm` knows, such as "GN"; or "".
        **options: `detectron2.modeling.roi_heads.BaseKeypointRCNNHead`'s.
    """

    @configurable
    def __init__(
        self, input_shape: ShapeSpec, *, num_keypoints: int, conv_dims: tuple[int, ...], norm: str = "", **options
    ):
        super().__init__(input_shape, num_keypoints=num_keypoints, conv_dims=conv_dims, **options)
        if not norm:
            return
        channels = input_shape.channels
        for number, width in enumerate(conv_dims, 1):
            conv = Conv2d(channels, width, 3, padding=1, bias=False, norm=get_norm(norm, width))
            nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
            setattr(self, f"conv_fcn{number}", conv)  # at the stock layer's place in the order
            channels = width

    @classmethod
    def from_config(cls, cfg: CfgNode, input_shape: ShapeSpec) -> dict:
        """Arguments of the head that a config asks for."""
        return {**super().from_config(cfg, input_shape), "norm": cfg.MODEL.ROI_KEYPOINT_HEAD.NORM}


@ROI_MASK_HEAD_REGISTRY.register()
class MaskRCNNConvUpsampleHeadGN(MaskRCNNConvUpsampleHead):
    """detectron2's mask head under the name that published configs have; see `FramedMasks` for its targets."""


class FocalOutputLayers(FastRCNNOutputLayers):
    """detectron2's box predictor with a focal loss in the place of cross-entropy.

    Keyword arguments are those of `detectron2.modeling.FastRCNNOutputLayers`.
    """

    gamma = GAMMA

    def losses(self, predictions: tuple[Tensor, Tensor], proposals: list[Instances]) -> dict[str, Tensor]:
        """Losses of boxes.

        Args:
            predictions: Logits (N, classes + 1) and deltas of the proposals of all pictures.
            proposals: With targets, of each picture.

        Returns:
            ``loss_cls`` and ``loss_box_reg``, both divided by the number of proposals.
        """
        losses = super().losses(predictions, proposals)
        classes = cat([each.gt_classes for each in proposals]) if proposals else predictions[0].new_zeros(0).long()
        losses["loss_cls"] = focal_loss(predictions[0], classes, self.gamma) * self.loss_weight.get("loss_cls", 1.0)
        return losses


@ROI_HEADS_REGISTRY.register()
class CustomROIHeads(StandardROIHeads):
    """detectron2's standard heads with the box loss that ``MODEL.ROI_BOX_HEAD.LOSS`` names.

    Keyword arguments are `StandardROIHeads`'.
    """

    @classmethod
    def _init_box_head(cls, cfg: CfgNode, input_shape: dict[str, ShapeSpec]) -> dict:
        name = cfg.MODEL.ROI_BOX_HEAD.LOSS
        if name not in BOX_LOSSES:
            raise ValueError(f"MODEL.ROI_BOX_HEAD.LOSS: found {name!r}, expected one of {', '.join(BOX_LOSSES)}")
        found = super()._init_box_head(cfg, input_shape)
        if name == "FocalLoss":
            found["box_predictor"] = FocalOutputLayers(cfg, found["box_head"].output_shape)
        return found
