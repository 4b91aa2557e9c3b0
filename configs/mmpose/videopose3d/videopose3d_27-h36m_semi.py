# Semi-supervised: one subject with 3D, four with 2D only. A second network places the root, so that poses project back
# onto their 2D; bone lengths of both halves of a batch are kept alike.
_base_ = ["videopose3d_27-coco.py"]

codec = dict(type="orplugins.VideoPoseCodec", num_keypoints=17)
model = dict(
    source="h36m_17",
    target="h36m_17",
    traj_backbone=dict(
        type="orplugins.VideoPoseTCN",
        in_channels=34,
        stem_channels=256,
        num_blocks=2,
        kernel_sizes=(3, 3, 3),
        dropout=0.25,
    ),
    traj_head=dict(type="orplugins.RootTrajectoryHead", in_channels=256, num_joints=1, decoder=codec),
    semi=dict(
        parents=[-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15], warmup_epochs=1, projection=True, distort=True
    ),
)

files = dict(
    type="orplugins.VideoPose3DDataset",
    data_root="data/or_motion/",
    keypoints_file="data_2d_motion_h36m.npz",
    camera_file="cameras.json",
    source="h36m_17",
    receptive_field=27,
    chunk=27,
    mirror=True,
)
meta_keys = ("id", "img_id", "clip", "frame", "action", "labelled", "target_root")
train_pipeline = [
    dict(type="orplugins.MirrorPoseSequence", source="h36m_17", target="h36m_17"),
    dict(type="GenerateTarget", encoder=codec),
    dict(type="PackPoseInputs", meta_keys=meta_keys),
]
train_dataloader = dict(
    _delete_=True,
    batch_size=32,
    num_workers=0,
    sampler=dict(type="MultiSourceSampler", batch_size=32, source_ratio=[1, 1]),
    dataset=dict(
        type="CombinedDataset",
        metainfo=dict(from_file="configs/_base_/datasets/h36m.py"),
        datasets=[
            dict(**files, positions_file="data_3d_motion.npz", subjects=["S1"]),
            dict(**files, subjects=["S2", "S3", "S4", "S5"]),
        ],
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(dataset=dict(keypoints_file="data_2d_motion_h36m.npz", source="h36m_17"))
test_dataloader = dict(dataset=dict(keypoints_file="data_2d_motion_h36m.npz", source="h36m_17"))
