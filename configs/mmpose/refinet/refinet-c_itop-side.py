# Module C (point sets) on ITOP's side view with the published settings.
_base_ = ["../../_base_/refinet_itop.py"]

codec = dict(type="orplugins.JointOffset")
model = dict(
    type="orplugins.RefiNetModule",
    backbone=dict(type="orplugins.RefiNetPointNet", feature_transform=True, dropout=0.2),
    head=dict(type="orplugins.OffsetHead", decoder=codec, keep_missing=False),
)

clouds = dict(type="orplugins.CropJointClouds", preparation="published", sampling="first", num_points=2000)
train_pipeline = [
    dict(type="orplugins.InitInputPose", source="label_mm"),
    dict(type="orplugins.AddPoseNoise", sigma=42, unit="mm", draw="item"),
    clouds,
    dict(type="orplugins.EncodeOffsets", encoder=codec),
    dict(type="orplugins.PackRefineInputs"),
]
val_pipeline = [
    dict(type="orplugins.InitInputPose", source="label_mm"),
    dict(type="orplugins.AddPoseNoise", sigma=42, unit="mm", draw="fixed", seed=1295185),
    clouds,
    dict(type="orplugins.EncodeOffsets", encoder=codec),
    dict(type="orplugins.PackRefineInputs"),
]
test_pipeline = [
    dict(type="orplugins.InitInputPose", source="file"),
    dict(type="orplugins.LiftPose", window="itop"),
    clouds,
    dict(type="orplugins.EncodeOffsets", encoder=codec),
    dict(type="orplugins.PackRefineInputs"),
]
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(batch_size=8, dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(
    batch_size=8, dataset=dict(keypoint_file="outputs/refinet/side_b.npz", keypoint_format="mm", pipeline=test_pipeline)
)
test_evaluator = [
    dict(type="orplugins.JointDistance", decimals=3),
    dict(type="orplugins.RefineOKS"),
    dict(type="orplugins.DumpPoses", out_file="outputs/refinet/side_c.npz"),
]
train_cfg = dict(by_epoch=True, max_epochs=51, val_interval=1)
param_scheduler = [dict(type="MultiStepLR", milestones=[20, 40], gamma=0.1, by_epoch=True)]
