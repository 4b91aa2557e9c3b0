# Meant for real time on one CPU core: one super-resolution step, two stages of 3x3 convolutions.
_base_ = ['./depthpose_tiny-64x48.py']

model = dict(
    backbone=dict(blocks=((16, ), (32, 48, 48, 48))),
    head=dict(
        num_features=48,
        context_channels=48,
        first_width=32,
        first_hidden=64,
        width=32))

train_cfg = dict(max_epochs=40)
param_scheduler = [
    dict(type='LinearLR', begin=0, end=200, start_factor=0.05, by_epoch=False),
    dict(type='CosineAnnealingLR', eta_min=2e-5, begin=0, end=40, by_epoch=True, convert_to_iter_based=True)
]
