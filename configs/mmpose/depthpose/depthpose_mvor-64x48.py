# DepthPose_64x48 of the MICCAI 2019 paper, tested on the release's low-resolution MVOR images:
#   data/mvor/LR_x10/day?/cam?/depth/NNNNNN.png (8-bit, 64x48) and data/mvor/annotations/mvor_eval_depth_2018.json
# The maps are enlarged ten times before decoding, although super-resolution makes 512x384 of the input.
_base_ = ["./depthpose_mvor-80x60.py"]

size = (64, 48)
codec = dict(type="orplugins.PAFCodec", input_size=size, decode="published", decode_scale=10)
model = dict(head=dict(decoder=codec))

train_pipeline = [
    dict(type="orplugins.LoadDepth"),
    dict(type="RandomFlip", direction="horizontal"),
    dict(type="orplugins.RandomDepthAffine"),
    dict(type="orplugins.RandomDepthHoles"),
    dict(type="orplugins.DepthToInput", size=size, target_size=(512, 384)),
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
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(data_prefix=dict(img="LR_x10/"), pipeline=test_pipeline))
