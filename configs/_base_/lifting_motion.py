# Motion data in VideoPose3D's files, as tools/make_motion.py writes them (or its own: data_2d_h36m_*.npz and so on,
# with
# a cameras.json). Configs that inherit from this one add the pipelines.
data_root = "data/or_motion/"
train_set = dict(
    type="orplugins.VideoPose3DDataset",
    data_root=data_root,
    keypoints_file="data_2d_motion_coco.npz",
    positions_file="data_3d_motion.npz",
    camera_file="cameras.json",
    subjects=["S1", "S2", "S3", "S4", "S5"],
    chunk=1,
    mirror=True,
)
train_dataloader = dict(
    batch_size=256,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=train_set,
)
# Whole clips, one at a time: the dense pass.
val_dataloader = dict(
    batch_size=1,
    num_workers=0,
    persistent_workers=False,
    drop_last=False,
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    dataset=dict(
        type="orplugins.VideoPose3DDataset",
        data_root=data_root,
        keypoints_file="data_2d_motion_coco.npz",
        positions_file="data_3d_motion.npz",
        camera_file="cameras.json",
        subjects=["V1"],
        chunk=0,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type="orplugins.MotionMetric", fps=50.0)
test_evaluator = val_evaluator
