# Module C on ITOP's top view: 5000 points a joint.
_base_ = ["./refinet-c_itop-side.py"]

codec = dict(type="orplugins.JointOffset")
clouds = dict(type="orplugins.CropJointClouds", preparation="published", sampling="first", num_points=5000)
noise = dict(type="orplugins.AddPoseNoise", sigma=42, unit="mm")
last = [dict(type="orplugins.EncodeOffsets", encoder=codec), dict(type="orplugins.PackRefineInputs")]
train_pipeline = [dict(type="orplugins.InitInputPose", source="label_mm"), dict(**noise, draw="item"), clouds, *last]
val_pipeline = [
    dict(type="orplugins.InitInputPose", source="label_mm"),
    dict(**noise, draw="fixed", seed=1295185),
    clouds,
    *last,
]
test_pipeline = [
    dict(type="orplugins.InitInputPose", source="file"),
    dict(type="orplugins.LiftPose", window="itop"),
    clouds,
    *last,
]
train_dataloader = dict(dataset=dict(view="top", pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(view="top", pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(view="top", keypoint_file="outputs/refinet/top_b.npz", pipeline=test_pipeline))
test_evaluator = [
    dict(type="orplugins.JointDistance", decimals=3),
    dict(type="orplugins.RefineOKS"),
    dict(type="orplugins.DumpPoses", out_file="outputs/refinet/top_c.npz"),
]
