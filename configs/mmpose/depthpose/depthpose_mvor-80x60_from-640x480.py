# DepthPose_80x60 on MVOR as it is downloaded: 16-bit 640x480 depth, down-sampled to 80x60. How the release made its
# low-resolution images is not known, so the published figures belong to depthpose_mvor-80x60.py.
_base_ = ["./depthpose_mvor-80x60.py"]

test_pipeline = [
    dict(type="orplugins.LoadDepth", size=(640, 480)),
    dict(type="orplugins.DepthToInput", size=(80, 60)),
    dict(type="PackPoseInputs"),
]
test_dataloader = dict(
    dataset=dict(ann_file="annotations/camma_mvor_2018.json", data_prefix=dict(img=""), pipeline=test_pipeline)
)
test_evaluator = dict(ann_file="data/mvor/annotations/camma_mvor_2018.json")
