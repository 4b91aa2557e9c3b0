# The paper's full-size baseline: RTPose on 640x480 depth, no super-resolution, maps at an eighth of the input.
_base_ = ["./depthpose_mvor-80x60_from-640x480.py"]

size = (640, 480)
codec = dict(type="orplugins.PAFCodec", input_size=size, map_size=(80, 60), decode="published", decode_scale=8)
model = dict(backbone=dict(sr_steps=0), head=dict(decoder=codec, context_channels=128, reconstruction=None))

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
    dict(type="orplugins.LoadDepth", size=size),
    dict(type="orplugins.DepthToInput", size=size),
    dict(type="PackPoseInputs"),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
