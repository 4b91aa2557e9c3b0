# The chain on Baracca as the published program runs it, quirks included.
_base_ = ["./refinet_baracca.py"]

model = dict(apply="add", missing="published")
test_dataloader = dict(dataset=dict(preparation="published"))
test_evaluator = [dict(type="orplugins.DumpPoses", out_file="outputs/refinet/baracca-published.npz")]
