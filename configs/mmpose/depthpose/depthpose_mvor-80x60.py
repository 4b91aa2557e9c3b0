# DepthPose_80x60 of the MICCAI 2019 paper, tested on the release's low-resolution MVOR images:
#   data/mvor/LR_x8/day?/cam?/depth/NNNNNN.png (8-bit, 80x60) and data/mvor/annotations/mvor_eval_depth_2018.json
# The published weights load as they are: mim test mmpose CONFIG --checkpoint depthpose_80x60.pth
_base_ = ["../../_base_/depth_runtime.py", "../../_base_/depth_people.py"]

size = (80, 60)
codec = dict(type="orplugins.PAFCodec", input_size=size, decode="published", decode_scale=8)
model = dict(
    type="orplugins.DepthPoseEstimator",
    data_preprocessor=dict(type="PoseDataPreprocessor"),
    backbone=dict(type="orplugins.DepthPoseBackbone"),
    head=dict(type="orplugins.PAFHead", decoder=codec, reconstruction=dict(in_channels=64)),
    test_cfg=dict(flip_test=True),
)

train_pipeline = [
    dict(type="orplugins.LoadDepth"),
    dict(type="RandomFlip", direction="horizontal"),
    dict(type="orplugins.RandomDepthAffine"),
    dict(type="orplugins.RandomDepthHoles"),
    dict(type="orplugins.DepthToInput", size=size, target_size=(640, 480)),
    dict(type="GenerateTarget", encoder=codec),
    dict(type="orplugins.PackDepthPoseInputs"),
]
val_pipeline = [
    dict(type="orplugins.LoadDepth"),
    dict(type="orplugins.DepthToInput", size=size),
    dict(type="PackPoseInputs"),
]
test_pipeline = [
    dict(type="orplugins.LoadDepth", bits=8, size=size),
    dict(type="orplugins.DepthToInput", size=size, frame_size=(640, 480)),
    dict(type="PackPoseInputs"),
]
train_dataloader = dict(batch_size=12, num_workers=4, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(
    dataset=dict(
        data_root="data/mvor/",
        ann_file="annotations/mvor_eval_depth_2018.json",
        data_prefix=dict(img="LR_x8/"),
        pipeline=test_pipeline,
    )
)
test_evaluator = dict(ann_file="data/mvor/annotations/mvor_eval_depth_2018.json")

# Optimiser, rate and length of the published training are not known: these are the project's.
train_cfg = dict(max_epochs=20, val_interval=1)
optim_wrapper = dict(optimizer=dict(type="AdamW", lr=2e-4, weight_decay=1e-4), clip_grad=dict(max_norm=10.0))
param_scheduler = [
    dict(type="LinearLR", begin=0, end=500, start_factor=0.01, by_epoch=False),
    dict(type="CosineAnnealingLR", eta_min=2e-6, begin=0, end=20, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(checkpoint=dict(interval=1, save_best="PCK/Average", rule="greater", max_keep_ckpts=2))
auto_scale_lr = dict(base_batch_size=12)
