# Modules A, lift, B and C in one pass on ITOP's side view.
_base_ = ["../../_base_/refinet_chain.py"]

model = dict(patches=dict(normalize="domain"), lifting=dict(window="itop"), absolute=True, missing="published")
test_dataloader = dict(
    dataset=dict(
        type="orplugins.ItopDataset",
        data_root="data/",
        view="side",
        split="test",
        keypoint_file="data/ITOP/keypoints_side_test.npz",
        keypoint_format="px",
    )
)
test_evaluator = [
    dict(type="orplugins.JointDistance", decimals=3),
    dict(type="orplugins.RefineOKS"),
    dict(type="orplugins.DumpPoses", out_file="outputs/refinet/side_chain.npz"),
]
