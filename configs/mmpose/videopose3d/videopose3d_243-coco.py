# VideoPose3D with a receptive field of 243 frames, COCO-17 in, H36M-17 out: the published in-the-wild model.
#   weights: videopose3d:///path/to/pretrained_h36m_detectron_coco.bin (CC BY-NC 4.0, not part of this project)
_base_ = ["../../_base_/lifting_runtime.py", "../../_base_/lifting_motion.py"]

codec = dict(type="orplugins.VideoPoseCodec", num_keypoints=17)
model = dict(
    type="orplugins.VideoPoseLifter",
    source="coco_17",
    target="h36m_17",
    backbone=dict(
        type="orplugins.VideoPoseTCN",
        in_channels=34,
        stem_channels=1024,
        num_blocks=4,
        kernel_sizes=(3, 3, 3, 3, 3),
        dropout=0.25,
    ),
    head=dict(
        type="orplugins.DenseTemporalHead", in_channels=1024, num_joints=17, loss=dict(type="MPJPELoss"), decoder=codec
    ),
    test_cfg=dict(flip_test=True, root="target"),
)

meta_keys = ("id", "img_id", "clip", "frame", "action", "labelled", "target_root")
train_pipeline = [
    dict(type="orplugins.MirrorPoseSequence", source="coco_17", target="h36m_17"),
    dict(type="GenerateTarget", encoder=codec),
    dict(type="PackPoseInputs", meta_keys=meta_keys),
]
test_pipeline = [dict(type="GenerateTarget", encoder=codec), dict(type="PackPoseInputs", meta_keys=meta_keys)]
train_dataloader = dict(batch_size=512, dataset=dict(receptive_field=243, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(receptive_field=243, pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(receptive_field=243, pipeline=test_pipeline))
train_cfg = dict(by_epoch=True, max_epochs=80, val_interval=5)
