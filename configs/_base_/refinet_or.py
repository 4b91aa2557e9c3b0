# RefiNet for operating rooms: people of the synthetic operating room, behind tables and each other, as
# `tools/make_or_dataset.py --itop side --everyone` writes them below data/itop_or. Small networks, trained in minutes
# on a CPU; occluded joints count.
_base_ = ["./refinet_runtime.py"]

data = dict(type="orplugins.ItopDataset", data_root="data/itop_or/", view="side", use_visibility=False)
train_dataloader = dict(
    batch_size=128,
    num_workers=1,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(**data, split="train"),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    dataset=dict(**data, split="val", test_mode=True),
)
test_dataloader = dict(
    batch_size=64,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    dataset=dict(**data, split="test", test_mode=True),
)
val_evaluator = [dict(type="orplugins.JointDistance", by_visibility=True, lifting=dict(window="pixel", holes="person"))]
test_evaluator = val_evaluator
default_hooks = dict(
    logger=dict(interval=10), checkpoint=dict(interval=1, save_best="itop/mde_cm", rule="less", max_keep_ckpts=1)
)
