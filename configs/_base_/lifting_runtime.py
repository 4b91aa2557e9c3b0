# mmpose's runtime with VideoPose3D's training: Adam with AMSGrad, the learning rate falling by a factor an epoch,
# and the
# batch norms' momentum with it.
_base_ = ["mmpose::_base_/default_runtime.py"]

custom_imports = dict(imports=["orplugins", "orplugins.mmpose.guard"], allow_failed_imports=False)
custom_hooks = [
    dict(type="SyncBuffersHook"),
    dict(type="orplugins.SeedEpochHook"),
    dict(type="orplugins.BatchNormMomentumHook", start=0.1, end=0.001),
]
optim_wrapper = dict(optimizer=dict(type="Adam", lr=1e-3, amsgrad=True))
param_scheduler = [dict(type="ExponentialLR", gamma=0.95, by_epoch=True)]
default_hooks = dict(checkpoint=dict(save_best="motion/MPJPE", rule="less", max_keep_ckpts=1), logger=dict(interval=50))
val_cfg = dict()
test_cfg = dict()
