# Module B (skeleton) on ITOP's side view with the published settings: it predicts places, and is trained on labels
# moved by 50 *pixels* (drawn once) but validated on labels moved by 50 *millimetres*.
_base_ = ["../../_base_/refinet_itop.py"]

codec = dict(type="orplugins.JointOffset", absolute=True)
model = dict(
    type="orplugins.RefiNetModule",
    backbone=dict(type="orplugins.RefiNetSkeletonNet", width=1024, dropout=0.2, batch_norm=True, residual=True),
    head=dict(
        type="orplugins.OffsetHead",
        decoder=codec,
        mse_weight=1.0,
        symmetry_weight=0.0,
        range_weight=0.0,
        keep_missing=False,
    ),
)

train_pipeline = [
    dict(type="orplugins.InitInputPose", source="label_px", drop_invisible=True),
    dict(type="orplugins.AddPoseNoise", sigma=50, unit="px", draw="frozen"),
    dict(type="orplugins.LiftPose", window="itop", half=True),
    dict(type="orplugins.NormalizeSkeleton"),
    dict(type="orplugins.EncodeOffsets", encoder=codec),
    dict(type="orplugins.PackRefineInputs"),
]
val_pipeline = [
    dict(type="orplugins.InitInputPose", source="label_px"),
    dict(type="orplugins.LiftPose", window="itop", half=True),
    dict(type="orplugins.AddPoseNoise", sigma=50, unit="mm", draw="fixed", seed=1295185),
    dict(type="orplugins.NormalizeSkeleton"),
    dict(type="orplugins.EncodeOffsets", encoder=codec),
    dict(type="orplugins.PackRefineInputs"),
]
test_pipeline = [
    dict(type="orplugins.InitInputPose", source="file"),
    dict(type="orplugins.LiftPose", window="itop"),
    dict(type="orplugins.NormalizeSkeleton"),
    dict(type="orplugins.EncodeOffsets", encoder=codec),
    dict(type="orplugins.PackRefineInputs"),
]
optim_wrapper = dict(clip_grad=dict(max_norm=1))
train_dataloader = dict(dataset=dict(frozen_noise=dict(mean=0, sigma=50, dims=2), pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(
    dataset=dict(keypoint_file="outputs/refinet/side_a.npz", keypoint_format="px", pipeline=test_pipeline)
)
test_evaluator = [
    dict(type="orplugins.JointDistance", decimals=3),
    dict(type="orplugins.RefineOKS"),
    dict(type="orplugins.DumpPoses", out_file="outputs/refinet/side_b.npz"),
]
train_cfg = dict(by_epoch=True, max_epochs=101, val_interval=1)
param_scheduler = [dict(type="MultiStepLR", milestones=[50, 75], gamma=0.1, by_epoch=True)]
