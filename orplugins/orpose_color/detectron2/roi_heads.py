"""ROI heads with ORPose-Color's keypoint head in place of detectron2's."""

from __future__ import annotations

from detectron2.layers import ShapeSpec
from detectron2.modeling.poolers import ROIPooler
from detectron2.modeling.roi_heads import ROI_HEADS_REGISTRY, StandardROIHeads

from orplugins.orpose_color.detectron2.keypoint_head import ROI_KEYPOINTS3D_HEAD_REGISTRY


@ROI_HEADS_REGISTRY.register()
class Keypoints3DROIHeads(StandardROIHeads):
    """detectron2's standard heads; its keypoint branch is built from ``MODEL.ROI_KEYPOINTS3D_HEAD``.

    With ``MODEL.KEYPOINT3D_ON`` off there is no keypoint branch. Keyword arguments are `StandardROIHeads`'; training
    needs the target fields that `orplugins.orpose_color.detectron2.mapper` makes.
    """

    @classmethod
    def _init_keypoint_head(cls, cfg, input_shape: dict[str, ShapeSpec]) -> dict:
        if not cfg.MODEL.KEYPOINT3D_ON:
            return {}
        names, head = cfg.MODEL.ROI_HEADS.IN_FEATURES, cfg.MODEL.ROI_KEYPOINTS3D_HEAD
        side = head.POOLER_RESOLUTION
        pooler = ROIPooler(
            output_size=side,
            scales=tuple(1.0 / input_shape[name].stride for name in names),
            sampling_ratio=head.POOLER_SAMPLING_RATIO,
            pooler_type=head.POOLER_TYPE,
        )
        shape = ShapeSpec(channels=input_shape[names[0]].channels, height=side, width=side)
        build = ROI_KEYPOINTS3D_HEAD_REGISTRY.get(head.NAME)
        return dict(keypoint_in_features=names, keypoint_pooler=pooler, keypoint_head=build(cfg, shape))
