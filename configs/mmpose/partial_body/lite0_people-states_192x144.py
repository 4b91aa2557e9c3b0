# Larger pictures than lite0_people-states_128x96.py, from whose weights it is trained on (load_from). The commands are
# in docs/partial_body/train.md.
_base_ = ["./lite0_people-states_128x96.py"]

codec = dict(type="orplugins.BatchedHeatmap", input_size=(144, 192), heatmap_size=(36, 48), sigma=2.0)
model = dict(head=dict(decoder=codec))

train_pipeline = [
    dict(type="orplugins.LoadImageOnce", most_megabytes=3000),
    dict(type="orplugins.RandomFrameTruncation", prob=0.3, fraction=(0.2, 0.75)),
    dict(type="GetBBoxCenterScale", padding=1.25),
    dict(type="RandomFlip", direction="horizontal"),
    dict(type="RandomHalfBody", min_upper_keypoints=3, prob=0.1),
    dict(type="orplugins.RandomBodyCrop", prob=0.1),
    dict(type="RandomBBoxTransform", shift_factor=0.1, scale_factor=(0.75, 1.25), rotate_factor=40.0),
    dict(type="TopdownAffine", input_size=codec["input_size"], use_udp=True),
    dict(type="orplugins.RandomAppearance"),
    dict(type="orplugins.MarkOutOfView"),
    dict(type="GenerateTarget", encoder=codec),
    dict(type="orplugins.PackPartialBodyInputs"),
]
val_pipeline = [
    dict(type="LoadImage"),
    dict(type="GetBBoxCenterScale", padding=1.25),
    dict(type="TopdownAffine", input_size=codec["input_size"], use_udp=True),
    dict(type="PackPoseInputs"),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = val_dataloader
