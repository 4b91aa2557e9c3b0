# Module A on ITOP's top view.
_base_ = ["./refinet-a_itop-side.py"]

train_dataloader = dict(dataset=dict(view="top", keypoint_file="data/ITOP/keypoints_top_train.npz"))
val_dataloader = dict(dataset=dict(view="top"))
test_dataloader = dict(dataset=dict(view="top", keypoint_file="data/ITOP/keypoints_top_test.npz"))
test_evaluator = [
    dict(type="orplugins.JointDistance", decimals=3),
    dict(type="orplugins.RefineOKS"),
    dict(type="orplugins.DumpPoses", out_file="outputs/refinet/top_a.npz"),
]
