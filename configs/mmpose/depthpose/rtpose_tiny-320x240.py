# What depthpose_tiny-64x48 is compared with, as the paper compares DepthPose with RTPose: nearly the same network
# without super-resolution on pictures of 25 times as many pixels, maps at an eighth of the input.
_base_ = ["./depthpose_tiny-64x48.py"]

size = (320, 240)
codec = dict(type="orplugins.PAFCodec", input_size=size, map_size=(40, 30), decode_scale=16)
model = dict(
    backbone=dict(sr_steps=0, blocks=((8,), (16, 16), (32, 32), (64, 64, 64))),
    head=dict(decoder=codec, reconstruction=None),
)

train_pipeline = [
    dict(type="orplugins.LoadDepth"),
    dict(type="RandomFlip", direction="horizontal"),
    dict(type="orplugins.RandomDepthAffine"),
    dict(type="orplugins.RandomDepthHoles"),
    dict(type="orplugins.DepthToInput", size=size),
    dict(type="GenerateTarget", encoder=codec),
    dict(type="orplugins.PackDepthPoseInputs"),
]
test_pipeline = [
    dict(type="orplugins.LoadDepth"),
    dict(type="orplugins.DepthToInput", size=size),
    dict(type="PackPoseInputs"),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
