# Module A for operating rooms: windows stay centred on the joint at the image's border, depth is relative to the patch.
_base_ = ["../../_base_/refinet_or.py"]

codec = dict(type="orplugins.JointOffset", unit=4.0)
model = dict(
    type="orplugins.RefiNetModule",
    backbone=dict(type="orplugins.RefiNetPatchNet", width=48, hidden=192),
    head=dict(type="orplugins.OffsetHead", decoder=codec, loss="distance"),
)
start = [dict(type="orplugins.InitInputPose", source="label_px")]
last = [
    dict(type="orplugins.CropDepthPatches", preparation="correct", normalize="joint"),
    dict(type="orplugins.EncodeOffsets", encoder=codec),
    dict(type="orplugins.PackRefineInputs", with_depth=True),
]
train_pipeline = [
    dict(type="orplugins.MirrorFrame"),
    *start,
    dict(type="orplugins.AddPoseNoise", sigma=4, draw="item"),
    *last,
]
val_pipeline = [*start, dict(type="orplugins.AddPoseNoise", sigma=4, draw="fixed", seed=1295185), *last]
test_pipeline = [*start, dict(type="orplugins.AddPoseNoise", sigma=4, draw="fixed", seed=37), *last]
train_dataloader = dict(batch_size=32, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
train_cfg = dict(by_epoch=True, max_epochs=8, val_interval=4)
optim_wrapper = dict(optimizer=dict(lr=2e-3, weight_decay=1e-5))
# Not OneCycleLR: it puts a function into checkpoints, which are then refused as code.
param_scheduler = [
    dict(type="LinearLR", begin=0, end=20, start_factor=0.1, by_epoch=False),
    dict(type="CosineAnnealingLR", eta_min=1e-5, begin=0, end=8, by_epoch=True, convert_to_iter_based=True),
]
