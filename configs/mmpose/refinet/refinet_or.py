# The chain for operating rooms. For mmpose's tools/test.py with a checkpoint of `tools/refinet_files.py merge-weights`,
# and for tools/refine3d.py.
_base_ = ["../../_base_/refinet_or.py"]

model = dict(
    type="orplugins.DepthPoseRefiner",
    patch_net=dict(type="orplugins.RefiNetPatchNet", width=48, hidden=192),
    skeleton_net=dict(type="orplugins.RefiNetSkeletonNet", width=256, dropout=0.1),
    point_net=dict(
        type="orplugins.RefiNetPointNet", feature_transform=False, widths=(32, 64, 128), hidden=(64, 32), head=64
    ),
    patches=dict(preparation="correct", normalize="joint"),
    lifting=dict(window="pixel", holes="person"),
    scale=dict(root="median", mean=(0.0, 0.0, 0.0), std=(250.0, 450.0, 450.0)),
    clouds=dict(preparation="correct", cube=500, max_cube=500, num_points=64, sampling="uniform"),
    absolute=True,
    patch_unit=4.0,
    skeleton_unit=300.0,
    point_unit=100.0,
)
test_pipeline = [
    dict(type="orplugins.InitInputPose", source="label_px"),
    dict(type="orplugins.AddPoseNoise", sigma=4, draw="fixed", seed=37),
    dict(type="orplugins.UseDepth"),
    dict(type="orplugins.PackRefineInputs", with_depth=True),
]
test_dataloader = dict(batch_size=1, dataset=dict(pipeline=test_pipeline))
