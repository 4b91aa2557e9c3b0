# DepthPose_64x48 on MVOR as it is downloaded: 16-bit 640x480 depth, down-sampled to 64x48. How the release made its
# low-resolution images is not known, so the published figures belong to depthpose_mvor-64x48.py.
_base_ = ["./depthpose_mvor-64x48.py"]

test_pipeline = [
    dict(type="orplugins.LoadDepth", size=(640, 480)),
    dict(type="orplugins.DepthToInput", size=(64, 48)),
    dict(type="PackPoseInputs"),
]
test_dataloader = dict(
    dataset=dict(ann_file="annotations/camma_mvor_2018.json", data_prefix=dict(img=""), pipeline=test_pipeline)
)
test_evaluator = dict(ann_file="data/mvor/annotations/camma_mvor_2018.json")
