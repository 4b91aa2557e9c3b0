# A receptive field of 27 frames and 256 channels: learns the generated motion in minutes on one CPU core. Windows
# with 27
# outputs share their work (the dilated form); their batch statistics are less varied than those of single outputs.
_base_ = ["videopose3d_243-coco.py"]

model = dict(backbone=dict(stem_channels=256, num_blocks=2, kernel_sizes=(3, 3, 3)), head=dict(in_channels=256))
train_dataloader = dict(
    batch_size=32, num_workers=0, persistent_workers=False, dataset=dict(receptive_field=27, chunk=27)
)
val_dataloader = dict(dataset=dict(receptive_field=27))
test_dataloader = dict(dataset=dict(receptive_field=27))
train_cfg = dict(max_epochs=40, val_interval=5)
