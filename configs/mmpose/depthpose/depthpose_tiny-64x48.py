# The smallest DepthPose: one super-resolution step, two stages, maps at half the input's size (which widens what a
# 3x3 convolution sees). For tests, the demo, and to see training work in minutes.
_base_ = ["../../_base_/depth_runtime.py", "../../_base_/depth_people.py"]

size = (64, 48)
codec = dict(
    type="orplugins.PAFCodec", input_size=size, map_size=(32, 24), decode_scale=20, settings=dict(doubles=0.08)
)
model = dict(
    type="orplugins.DepthPoseEstimator",
    data_preprocessor=dict(type="PoseDataPreprocessor"),
    backbone=dict(
        type="orplugins.DepthPoseBackbone",
        sr_steps=1,
        sr_hidden=(16,),
        sr_last_hidden=None,
        sr_channels=8,
        blocks=((16,), (32, 32), (64, 64, 64)),
    ),
    head=dict(
        type="orplugins.PAFHead",
        decoder=codec,
        num_features=64,
        context_channels=64,
        num_stages=2,
        first_width=48,
        first_hidden=64,
        width=32,
        kernel=5,
        depth=2,
        heatmap_loss=dict(type="KeypointMSELoss", loss_weight=1000.0),
        paf_loss=dict(type="KeypointMSELoss", loss_weight=1000.0),
        reconstruction=dict(in_channels=8),
    ),
    test_cfg=dict(flip_test=False),
)

train_pipeline = [
    dict(type="orplugins.LoadDepth"),
    dict(type="RandomFlip", direction="horizontal"),
    dict(type="orplugins.RandomDepthAffine"),
    dict(type="orplugins.RandomDepthHoles"),
    dict(type="orplugins.DepthToInput", size=size, target_size=(128, 96)),
    dict(type="GenerateTarget", encoder=codec),
    dict(type="orplugins.PackDepthPoseInputs"),
]
test_pipeline = [
    dict(type="orplugins.LoadDepth"),
    dict(type="orplugins.DepthToInput", size=size),
    dict(type="PackPoseInputs"),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))

train_cfg = dict(max_epochs=6, val_interval=2)
optim_wrapper = dict(optimizer=dict(type="AdamW", lr=3e-3, weight_decay=1e-4), clip_grad=dict(max_norm=10.0))
param_scheduler = [
    dict(type="LinearLR", begin=0, end=50, start_factor=0.05, by_epoch=False),
    dict(type="CosineAnnealingLR", eta_min=2e-5, begin=0, end=6, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(
    logger=dict(interval=20), checkpoint=dict(interval=2, save_best="PCK/Average", rule="greater", max_keep_ckpts=2)
)
auto_scale_lr = dict(base_batch_size=16)
