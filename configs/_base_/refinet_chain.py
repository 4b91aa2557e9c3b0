# RefiNet's chain at its published size and preparation, for mmpose's tools/test.py with a checkpoint of
# `tools/refinet_files.py merge-weights`. Configs that inherit from this one add the data set, the camera's way of
# lifting, and metrics.
_base_ = ["./refinet_runtime.py"]

model = dict(
    type="orplugins.DepthPoseRefiner",
    patch_net=dict(type="orplugins.RefiNetPatchNet"),
    skeleton_net=dict(type="orplugins.RefiNetSkeletonNet"),
    point_net=dict(type="orplugins.RefiNetPointNet"),
    patches=dict(preparation="published"),
    clouds=dict(preparation="published", sampling="first", num_points=2000),
)
test_pipeline = [
    dict(type="orplugins.InitInputPose", source="file"),
    dict(type="orplugins.UseDepth"),
    dict(type="orplugins.PackRefineInputs", with_depth=True),
]
test_dataloader = dict(
    batch_size=1,
    num_workers=4,
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    dataset=dict(pipeline=test_pipeline, test_mode=True),
)
