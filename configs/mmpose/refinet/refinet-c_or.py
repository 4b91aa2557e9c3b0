# Module C for operating rooms: points relative to the joint, evenly picked, in a small PointNet.
_base_ = ['../../_base_/refinet_or.py']

codec = dict(type='orplugins.JointOffset', unit=50.)
model = dict(
    type='orplugins.RefiNetModule',
    backbone=dict(
        type='orplugins.RefiNetPointNet', feature_transform=False, widths=(32, 64, 128), hidden=(64, 32), head=64),
    head=dict(type='orplugins.OffsetHead', decoder=codec, loss='distance'))
start = [dict(type='orplugins.InitInputPose', source='label_mm')]
last = [
    dict(type='orplugins.CropJointClouds', preparation='correct', num_points=96, sampling='uniform'),
    dict(type='orplugins.EncodeOffsets', encoder=codec),
    dict(type='orplugins.PackRefineInputs')
]
train_pipeline = [*start, dict(type='orplugins.AddPoseNoise', sigma=80, unit='mm', draw='item'), *last]
val_pipeline = [*start, dict(type='orplugins.AddPoseNoise', sigma=80, unit='mm', draw='fixed', seed=1295185), *last]
test_pipeline = [*start, dict(type='orplugins.AddPoseNoise', sigma=80, unit='mm', draw='fixed', seed=37), *last]
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
train_cfg = dict(by_epoch=True, max_epochs=2, val_interval=2)
optim_wrapper = dict(optimizer=dict(lr=3e-3, weight_decay=1e-5))
# Not OneCycleLR: it puts a function into checkpoints, which are then refused as code.
param_scheduler = [
    dict(type='LinearLR', begin=0, end=20, start_factor=0.1, by_epoch=False),
    dict(type='CosineAnnealingLR', eta_min=1e-5, begin=0, end=2, by_epoch=True, convert_to_iter_based=True)
]
