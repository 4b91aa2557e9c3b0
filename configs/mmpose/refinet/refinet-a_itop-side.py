# Module A (depth patches) on ITOP's side view with the published settings. The published program trains from the
# poses of a file with noise of 5 px, not from labels, although its option says otherwise; those training poses are
# not public. To train from labels: InitInputPose(source='label_px').
_base_ = ["../../_base_/refinet_itop.py"]

codec = dict(type="orplugins.JointOffset")
model = dict(
    type="orplugins.RefiNetModule",
    backbone=dict(type="orplugins.RefiNetPatchNet"),
    head=dict(type="orplugins.OffsetHead", decoder=codec, keep_missing=False),
)

patches = dict(type="orplugins.CropDepthPatches", size=40, preparation="published", normalize="domain")
train_pipeline = [
    dict(type="orplugins.InitInputPose", source="file"),
    dict(type="orplugins.AddPoseNoise", sigma=5, unit="px", draw="item"),
    patches,
    dict(type="orplugins.EncodeOffsets", encoder=codec),
    dict(type="orplugins.PackRefineInputs"),
]
val_pipeline = [
    dict(type="orplugins.InitInputPose", source="label_px"),
    dict(type="orplugins.AddPoseNoise", sigma=5, unit="px", draw="fixed", seed=1295185, truncate=True),
    patches,
    dict(type="orplugins.EncodeOffsets", encoder=codec),
    dict(type="orplugins.PackRefineInputs", with_depth=True),
]
test_pipeline = [
    dict(type="orplugins.InitInputPose", source="file"),
    patches,
    dict(type="orplugins.EncodeOffsets", encoder=codec),
    dict(type="orplugins.PackRefineInputs", with_depth=True),
]
train_dataloader = dict(
    dataset=dict(keypoint_file="data/ITOP/keypoints_side_train.npz", keypoint_format="px", pipeline=train_pipeline)
)
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(
    dataset=dict(keypoint_file="data/ITOP/keypoints_side_test.npz", keypoint_format="px", pipeline=test_pipeline)
)
test_evaluator = [
    dict(type="orplugins.JointDistance", decimals=3),
    dict(type="orplugins.RefineOKS"),
    dict(type="orplugins.DumpPoses", out_file="outputs/refinet/side_a.npz"),
]
train_cfg = dict(by_epoch=True, max_epochs=31, val_interval=1)
param_scheduler = [dict(type="MultiStepLR", milestones=[10, 20], gamma=0.1, by_epoch=True)]
