# mmpose's own runtime with the project's components, and the best model by AP.
_base_ = ["mmpose::_base_/default_runtime.py"]

custom_imports = dict(
    imports=["orplugins", "orplugins.mmpose.guard", "mmpose.engine.optim_wrappers.layer_decay_optim_wrapper"],
    allow_failed_imports=False,
)
custom_hooks = [dict(type="SyncBuffersHook"), dict(type="orplugins.SeedEpochHook")]
default_hooks = dict(
    logger=dict(interval=10), checkpoint=dict(interval=10, save_best="coco/AP", rule="greater", max_keep_ckpts=2)
)

# For mmpose's inferencer, which without a detector of the user's then takes the whole picture as one box.
data_mode = "topdown"
dataset_type = "orplugins.PartialBodyDataset"
