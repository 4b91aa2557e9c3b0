# A tiny ViTPose with joint states that trains on a CPU in minutes, on views of parts of people. Data:
#   data/partial_people/{train,val}/, as tools/make_partial_views.py writes them
# The validation is on whole people. For another view, such as annotations/waist.json, set
# test_dataloader.dataset.ann_file and test_evaluator.0.ann_file.
_base_ = ["../../_base_/partial_runtime.py"]

codec = dict(type="orplugins.BatchedHeatmap", input_size=(96, 128), heatmap_size=(24, 32), sigma=1.5)
model = dict(
    type="orplugins.PartialBodyEstimator",
    data_preprocessor=dict(
        type="PoseDataPreprocessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True
    ),
    backbone=dict(type="orplugins.ViT", arch="tiny", image_size=(96, 128), depth=4, mlp_ratio=2.0, drop_path=0.0),
    head=dict(
        type="orplugins.JointStateHead",
        in_channels=192,
        out_channels=17,
        deconv_out_channels=(64, 64),
        deconv_kernel_sizes=(4, 4),
        loss=dict(type="KeypointMSELoss", use_target_weight=True, loss_weight=1000.0),
        state_weight=0.3,
        state_hidden=128,
        decoder=codec,
    ),
    test_cfg=dict(flip_test=True, flip_mode="heatmap", shift_heatmap=False),
)

# First whole people only, then also views of parts: half of the later examples are still whole.
switch_epoch = 10
max_epochs = 20
to_targets = [
    dict(type="RandomBBoxTransform", shift_factor=0.1, scale_factor=(0.75, 1.25), rotate_factor=30.0),
    dict(type="TopdownAffine", input_size=codec["input_size"], use_udp=True),
    dict(type="orplugins.MarkOutOfView"),
    dict(type="GenerateTarget", encoder=codec),
    dict(type="orplugins.PackPartialBodyInputs"),
]
train_pipeline = [
    dict(type="orplugins.LoadImageOnce"),
    dict(type="GetBBoxCenterScale", padding=1.25),
    dict(type="RandomFlip", direction="horizontal"),
    dict(type="RandomHalfBody", min_upper_keypoints=3),
    *to_targets,
]
parts_pipeline = [
    dict(type="orplugins.LoadImageOnce"),
    dict(type="orplugins.RandomFrameTruncation", prob=0.4, fraction=(0.2, 0.75)),
    dict(type="GetBBoxCenterScale", padding=1.25),
    dict(type="RandomFlip", direction="horizontal"),
    dict(type="RandomHalfBody", min_upper_keypoints=3, prob=0.1),
    dict(type="orplugins.RandomBodyCrop", prob=0.1),
    *to_targets,
]
val_pipeline = [
    dict(type="LoadImage"),
    dict(type="GetBBoxCenterScale", padding=1.25),
    dict(type="TopdownAffine", input_size=codec["input_size"], use_udp=True),
    dict(type="PackPoseInputs"),
]
train_dataloader = dict(
    batch_size=16,
    num_workers=0,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(
        type="orplugins.PartialBodyDataset",
        unlabelled="out of view",
        data_root="data/partial_people/train/",
        ann_file="annotations/whole.json",
        data_prefix=dict(img="images/"),
        data_mode="topdown",
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=0,
    drop_last=False,
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    dataset=dict(
        type="orplugins.PartialBodyDataset",
        data_root="data/partial_people/val/",
        ann_file="annotations/whole.json",
        data_prefix=dict(img="images/"),
        data_mode="topdown",
        test_mode=True,
        pipeline=val_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = [
    dict(type="orplugins.PeopleCocoMetric", ann_file="data/partial_people/val/annotations/whole.json"),
    dict(type="PCKAccuracy", thr=0.1, norm_item="bbox"),
    dict(type="orplugins.JointStateMetric"),
]
test_evaluator = val_evaluator

train_cfg = dict(max_epochs=max_epochs, val_interval=5)
optim_wrapper = dict(optimizer=dict(type="AdamW", lr=7e-4, weight_decay=0.05), clip_grad=dict(max_norm=10.0))
param_scheduler = [
    dict(type="LinearLR", begin=0, end=200, start_factor=0.01, by_epoch=False),
    # The last epoch of the cosine would take hardly a step.
    dict(
        type="CosineAnnealingLR", eta_min=1e-5, begin=0, end=max_epochs + 1, by_epoch=True, convert_to_iter_based=True
    ),
]
custom_hooks = [
    dict(type="SyncBuffersHook"),
    dict(type="orplugins.SeedEpochHook"),
    dict(type="mmdet.PipelineSwitchHook", switch_epoch=switch_epoch, switch_pipeline=parts_pipeline),
]
default_hooks = dict(
    logger=dict(interval=50), checkpoint=dict(interval=5, save_best="coco/AP", rule="greater", max_keep_ckpts=4)
)
auto_scale_lr = dict(base_batch_size=16)
