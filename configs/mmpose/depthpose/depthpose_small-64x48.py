# Meant for real time on one CPU core: the tiny network, wider and deeper.
_base_ = ["./depthpose_tiny-64x48.py"]

model = dict(
    backbone=dict(blocks=((16,), (32, 64), (96, 96))),
    head=dict(num_features=96, context_channels=96, first_width=64, first_hidden=128, width=64, kernel=3, depth=3),
)

train_cfg = dict(max_epochs=8)
param_scheduler = [
    dict(type="LinearLR", begin=0, end=200, start_factor=0.05, by_epoch=False),
    dict(type="CosineAnnealingLR", eta_min=2e-5, begin=0, end=8, by_epoch=True, convert_to_iter_based=True),
]
