# ITOP's side view for a module of RefiNet: loaders and metrics. Configs that inherit from this one add where poses
# come from, and the pipelines.
_base_ = ["./refinet_runtime.py"]

loader = dict(num_workers=4, persistent_workers=True, batch_size=64)
in_order = dict(type="DefaultSampler", shuffle=False, round_up=False)
data = dict(type="orplugins.ItopDataset", data_root="data/", view="side")
train_dataloader = dict(
    **loader, drop_last=True, sampler=dict(type="DefaultSampler", shuffle=True), dataset=dict(**data, split="train")
)
val_dataloader = dict(**loader, sampler=in_order, dataset=dict(**data, split="val", test_mode=True))
test_dataloader = dict(**loader, sampler=in_order, dataset=dict(**data, split="test", test_mode=True))
val_evaluator = [dict(type="orplugins.JointDistance", decimals=None), dict(type="orplugins.RefineOKS")]
