# The causal form: each pose from its own and earlier frames only, for live use.
_base_ = ["videopose3d_27-coco.py"]

codec = dict(type="orplugins.VideoPoseCodec", num_keypoints=17, causal=True)
model = dict(backbone=dict(causal=True), head=dict(decoder=codec))
meta_keys = ("id", "img_id", "clip", "frame", "action", "labelled", "target_root")
train_pipeline = [
    dict(type="orplugins.MirrorPoseSequence", source="coco_17", target="h36m_17"),
    dict(type="GenerateTarget", encoder=codec),
    dict(type="PackPoseInputs", meta_keys=meta_keys),
]
test_pipeline = [dict(type="GenerateTarget", encoder=codec), dict(type="PackPoseInputs", meta_keys=meta_keys)]
train_dataloader = dict(dataset=dict(causal=True, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(causal=True, pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(causal=True, pipeline=test_pipeline))
