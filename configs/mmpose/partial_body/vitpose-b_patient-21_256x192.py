# ViTPose-B for casualties of whom a part is in view, 21 points, trained as published (Medical-Partial-Body-Pose-
# Estimation) with left and right exchanged in mirrored images, validated on the validation file. Data, COCO form:
#   data/partial_body/annotations/patient_{train,val}.json and data/partial_body/images/
# Start from COCO's ViTPose-B: --cfg-options load_from=vitpose-b.pth model.fresh="['head.final_layer.']"
_base_ = ["../../_base_/partial_runtime.py"]

num_keypoints = 21
codec = dict(type="orplugins.BatchedHeatmap", input_size=(192, 256), heatmap_size=(48, 64), sigma=2)
model = dict(
    type="orplugins.PartialBodyEstimator",
    data_preprocessor=dict(
        type="PoseDataPreprocessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True
    ),
    backbone=dict(type="orplugins.ViT", arch="base", image_size=(192, 256)),
    head=dict(
        type="HeatmapHead",
        in_channels=768,
        out_channels=num_keypoints,
        deconv_out_channels=(256, 256),
        deconv_kernel_sizes=(4, 4),
        loss=dict(type="KeypointMSELoss", use_target_weight=True),
        decoder=codec,
    ),
    test_cfg=dict(flip_test=True, flip_mode="heatmap", shift_heatmap=False),
)

train_pipeline = [
    dict(type="LoadImage"),
    dict(type="GetBBoxCenterScale", padding=1.25),
    dict(type="RandomFlip", direction="horizontal"),
    dict(type="orplugins.PublishedHalfBody"),
    dict(
        type="RandomBBoxTransform",
        shift_factor=0.16,
        shift_prob=0.3,
        scale_factor=(0.5, 1.5),
        rotate_factor=80.0,
        rotate_prob=0.6,
    ),
    dict(type="TopdownAffine", input_size=codec["input_size"], use_udp=True),
    dict(type="GenerateTarget", encoder=codec),
    dict(type="PackPoseInputs"),
]
val_pipeline = [
    dict(type="LoadImage"),
    dict(type="GetBBoxCenterScale", padding=1.25),
    dict(type="TopdownAffine", input_size=codec["input_size"], use_udp=True),
    dict(type="PackPoseInputs"),
]

data_root = "data/partial_body/"
train_dataloader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(
        type="orplugins.Patient21Dataset",
        data_root=data_root,
        ann_file="annotations/patient_train.json",
        data_prefix=dict(img="images/"),
        data_mode="topdown",
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=4,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    dataset=dict(
        type="orplugins.Patient21Dataset",
        data_root=data_root,
        ann_file="annotations/patient_val.json",
        data_prefix=dict(img="images/"),
        data_mode="topdown",
        test_mode=True,
        pipeline=val_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type="orplugins.PeopleCocoMetric", ann_file=f"{data_root}annotations/patient_val.json")
test_evaluator = val_evaluator

train_cfg = dict(max_epochs=210, val_interval=10)
optim_wrapper = dict(
    optimizer=dict(type="AdamW", lr=5e-4, betas=(0.9, 0.999), weight_decay=0.1),
    constructor="LayerDecayOptimWrapperConstructor",
    paramwise_cfg=dict(num_layers=12, layer_decay_rate=0.75),
    clip_grad=dict(max_norm=1.0, norm_type=2),
)
param_scheduler = [
    dict(type="LinearLR", begin=0, end=500, start_factor=0.001, by_epoch=False),
    dict(type="MultiStepLR", begin=0, end=210, milestones=[170, 200], gamma=0.1, by_epoch=True),
]
auto_scale_lr = dict(base_batch_size=64)
