# mmpose's own runtime, with the project's components and pictures of depth.
_base_ = ["mmpose::_base_/default_runtime.py"]

custom_imports = dict(imports=["orplugins", "orplugins.mmpose.guard"], allow_failed_imports=False)
custom_hooks = [dict(type="SyncBuffersHook"), dict(type="orplugins.SeedEpochHook")]
visualizer = dict(type="orplugins.DepthVisualizer", vis_backends=[dict(type="LocalVisBackend")], name="visualizer")
data_mode = "bottomup"
