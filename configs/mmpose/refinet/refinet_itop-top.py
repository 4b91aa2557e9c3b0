# The chain on ITOP's top view: 5000 points a joint.
_base_ = ["./refinet_itop-side.py"]

model = dict(clouds=dict(num_points=5000))
test_dataloader = dict(dataset=dict(view="top", keypoint_file="data/ITOP/keypoints_top_test.npz"))
test_evaluator = [
    dict(type="orplugins.JointDistance", decimals=3),
    dict(type="orplugins.RefineOKS"),
    dict(type="orplugins.DumpPoses", out_file="outputs/refinet/top_chain.npz"),
]
