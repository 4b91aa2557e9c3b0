# Module C for operating rooms: points relative to the joint in a small PointNet. It learns from what module B makes of
# the training file (refinet-lift-b_or.py writes it), because B's errors go with the person, not with the joint.
_base_ = ["../../_base_/refinet_or.py"]

codec = dict(type="orplugins.JointOffset", unit=100.0)
model = dict(
    type="orplugins.RefiNetModule",
    backbone=dict(
        type="orplugins.RefiNetPointNet", feature_transform=False, widths=(32, 64, 128), hidden=(64, 32), head=64
    ),
    head=dict(type="orplugins.OffsetHead", decoder=codec, loss="distance"),
)
start = [dict(type="orplugins.InitInputPose", source="file")]
last = [
    dict(
        type="orplugins.CropJointClouds",
        preparation="correct",
        cube=500,
        max_cube=500,
        num_points=64,
        sampling="uniform",
    ),
    dict(type="orplugins.EncodeOffsets", encoder=codec),
    dict(type="orplugins.PackRefineInputs"),
]
train_pipeline = [
    dict(type="orplugins.MirrorFrame"),
    *start,
    dict(type="orplugins.AddPoseNoise", sigma=30, unit="mm", draw="item"),
    *last,
]
poses = dict(keypoint_file="outputs/refinet/or_b-trainval.npz", keypoint_format="mm")
train_dataloader = dict(batch_size=8, dataset=dict(**poses, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(**poses, pipeline=[*start, *last]))
test_dataloader = dict(
    dataset=dict(keypoint_file="outputs/refinet/or_b-test.npz", keypoint_format="mm", pipeline=[*start, *last])
)
train_cfg = dict(by_epoch=True, max_epochs=10, val_interval=5)
optim_wrapper = dict(optimizer=dict(lr=3e-3, weight_decay=1e-5))
# Not OneCycleLR: it puts a function into checkpoints, which are then refused as code.
param_scheduler = [
    dict(type="LinearLR", begin=0, end=20, start_factor=0.1, by_epoch=False),
    dict(type="CosineAnnealingLR", eta_min=1e-5, begin=0, end=10, by_epoch=True, convert_to_iter_based=True),
]
