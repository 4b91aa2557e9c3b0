# Module B on ITOP's top view.
_base_ = ["./refinet-b_itop-side.py"]

train_dataloader = dict(dataset=dict(view="top"))
val_dataloader = dict(dataset=dict(view="top"))
test_dataloader = dict(dataset=dict(view="top", keypoint_file="outputs/refinet/top_a.npz"))
test_evaluator = [
    dict(type="orplugins.JointDistance", decimals=3),
    dict(type="orplugins.RefineOKS"),
    dict(type="orplugins.DumpPoses", out_file="outputs/refinet/top_b.npz"),
]
