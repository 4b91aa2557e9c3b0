# mmpose's runtime with the project's hooks, and what all of RefiNet's published trainings share.
_base_ = ["mmpose::_base_/default_runtime.py"]

custom_imports = dict(imports=["orplugins", "orplugins.mmpose.guard"], allow_failed_imports=False)
custom_hooks = [dict(type="orplugins.SeedEpochHook")]
randomness = dict(seed=2931389)
optim_wrapper = dict(optimizer=dict(type="Adam", lr=1e-3, weight_decay=1e-4))
default_hooks = dict(checkpoint=dict(interval=1, save_best="itop/acc@10cm", rule="greater", max_keep_ckpts=2))
val_cfg = dict()
test_cfg = dict()
