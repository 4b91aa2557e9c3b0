# The 27-frame network on people of the synthetic operating room (tools/make_motion.py room): ceiling cameras, another
# rig in every clip, 2D noise from a careful annotator's to a 64x48 detector's.
_base_ = ["videopose3d_27-coco.py"]

# Whole clips of 100 frames: with 26 frames of context around, shorter chunks compute most frames twice.
train_dataloader = dict(batch_size=16, dataset=dict(data_root="data/or_lifting/train/", subjects=None, chunk=100))
val_dataloader = dict(dataset=dict(data_root="data/or_lifting/val/", subjects=None))
test_dataloader = dict(dataset=dict(data_root="data/or_lifting/val/", subjects=None))
val_evaluator = dict(fps=25.0)
test_evaluator = dict(fps=25.0)
train_cfg = dict(max_epochs=6, val_interval=6)
param_scheduler = [dict(type="ExponentialLR", gamma=0.6, by_epoch=True)]
