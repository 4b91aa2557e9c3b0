# For the released weights: boxes one pixel larger, decoding of mmpose 0.x, and no exchange of left and right, neither
# in training nor in the flip test.
_base_ = ["./vitpose-b_patient-21_256x192.py"]

codec = dict(type="orplugins.PublishedHeatmap", input_size=(192, 256), heatmap_size=(48, 64), sigma=2)
model = dict(head=dict(decoder=codec))
val_pipeline = [
    dict(type="LoadImage"),
    dict(type="orplugins.InclusiveBox"),
    dict(type="GetBBoxCenterScale", padding=1.25),
    dict(type="TopdownAffine", input_size=codec["input_size"], use_udp=True),
    dict(type="PackPoseInputs"),
]
train_dataloader = dict(dataset=dict(type="orplugins.PublishedPatient21Dataset"))
val_dataloader = dict(dataset=dict(type="orplugins.PublishedPatient21Dataset", pipeline=val_pipeline))
test_dataloader = val_dataloader
