# Lifting and module B alone for operating rooms: its test writes the poses that module C starts from.
_base_ = ["./refinet_or.py"]

model = dict(patch_net=None, point_net=None)
test_evaluator = [
    dict(type="orplugins.JointDistance", by_visibility=True, lifting=dict(window="pixel", holes="person")),
    dict(type="orplugins.DumpPoses", out_file="outputs/refinet/or_b-test.npz"),
]
