# orpose_fixed_12x.yaml as a LazyConfig: for detectron2's lazyconfig_train_net.py, with
# DETECTRON2_ENV_MODULE=orplugins.detectron2.env and ORPLUGINS_DATASETS="camma_train=...;camma_mvor=..." (docs).
from detectron2 import model_zoo
from detectron2.config import LazyCall as L
from detectron2.layers import ShapeSpec
from detectron2.modeling.poolers import ROIPooler

from orplugins.orpose_color.detectron2.evaluators import build_people_evaluator
from orplugins.orpose_color.detectron2.keypoint_head import StandardKeypoints3DHead
from orplugins.orpose_color.detectron2.mapper import MVORDatasetMapper
from orplugins.orpose_color.detectron2.roi_heads import Keypoints3DROIHeads

model = model_zoo.get_config("common/models/mask_rcnn_fpn.py").model
train = model_zoo.get_config("common/train.py").train
optimizer = model_zoo.get_config("common/optim.py").SGD
lr_multiplier = model_zoo.get_config("common/coco_schedule.py").lr_multiplier_1x
dataloader = model_zoo.get_config("common/data/coco.py").dataloader

# the published joint statistics (not bundled): a path
statistics = ""

for name in ("mask_in_features", "mask_pooler", "mask_head"):
    model.roi_heads.pop(name)
model.roi_heads._target_ = Keypoints3DROIHeads
model.roi_heads.update(
    num_classes=1,
    keypoint_in_features=["p2", "p3", "p4", "p5"],
    keypoint_pooler=L(ROIPooler)(
        output_size=14, scales=(1 / 4, 1 / 8, 1 / 16, 1 / 32), sampling_ratio=0, pooler_type="ROIAlignV2"
    ),
    keypoint_head=L(StandardKeypoints3DHead)(
        input_shape=ShapeSpec(channels=256, width=14, height=14),
        conv_dims=[512] * 8,
        loss_weights=[1.0, 1.0, 1.0, 1.0],
        loss_normalizer="visible",
        decode="batched",
        losses="guarded",
        branches="both",
        lifter_width=1024,
        lifter_dropout=0.5,
        statistics=statistics,
        store_statistics=False,
    ),
)
model.roi_heads.box_predictor.smooth_l1_beta = 0.5
model.proposal_generator.post_nms_topk = (1500, 1000)

dataloader.train.dataset.names = "camma_train"
dataloader.train.mapper = L(MVORDatasetMapper)(
    is_train=True, factor=12.0, method="bilinear", flip_3d="mirrored", statistics=statistics
)
dataloader.test.dataset.names = "camma_mvor"
dataloader.test.mapper = L(MVORDatasetMapper)(is_train=False, factor=12.0, method="bilinear")
dataloader.evaluator = L(build_people_evaluator)(dataset_name="${..test.dataset.names}", mpjpe="published")
