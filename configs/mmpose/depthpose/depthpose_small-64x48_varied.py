# Further training of the small network on images of every kind of room, pose, camera and sensor: what finds people in
# real images. `load_from` names weights of depthpose_small-64x48.py, which saw the theatre alone, or of an earlier
# round. The shipped weights of depthpose_small-64x48 come from two such rounds (dev/train_shipped.py).
_base_ = ["./depthpose_small-64x48.py"]

optim_wrapper = dict(optimizer=dict(lr=1.5e-3))
train_cfg = dict(max_epochs=6, val_interval=1)
param_scheduler = [
    dict(type="LinearLR", begin=0, end=50, start_factor=0.05, by_epoch=False),
    dict(type="CosineAnnealingLR", eta_min=2e-5, begin=0, end=6, by_epoch=True, convert_to_iter_based=True),
]
# The last three are averaged.
default_hooks = dict(checkpoint=dict(interval=1, max_keep_ckpts=3))
