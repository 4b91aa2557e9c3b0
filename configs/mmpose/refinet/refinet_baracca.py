# The chain on Baracca, which has no ground truth: refined poses are written to a file. Two quirks of the published
# program are left out: it adds offsets that are trained to be subtracted (apply='add'), and takes point sets at the
# mirrored height (data set: preparation='published').
_base_ = ["../../_base_/refinet_chain.py"]

model = dict(patches=dict(normalize="patch"), lifting=dict(window="baracca"), absolute=False, apply="subtract")
test_dataloader = dict(
    dataset=dict(
        type="orplugins.BaraccaDataset",
        data_root="data/Baracca/",
        keypoint_file="data/Baracca/keypoints.npz",
        preparation="correct",
    )
)
test_evaluator = [dict(type="orplugins.DumpPoses", out_file="outputs/refinet/baracca.npz")]
