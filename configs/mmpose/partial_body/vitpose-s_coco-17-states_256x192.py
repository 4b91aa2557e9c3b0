# ViTPose-S with a branch that says of every joint whether it is visible, occluded or out of view, trained on crops of
# parts of people.
_base_ = ["./vitpose-b_coco-17_256x192.py"]

codec = dict(type="orplugins.BatchedHeatmap", input_size=(192, 256), heatmap_size=(48, 64), sigma=2)
model = dict(backbone=dict(arch="small"), head=dict(type="orplugins.JointStateHead", in_channels=384))
train_pipeline = [
    dict(type="LoadImage"),
    dict(type="orplugins.RandomFrameTruncation"),
    dict(type="GetBBoxCenterScale", padding=1.25),
    dict(type="RandomFlip", direction="horizontal"),
    dict(type="RandomHalfBody", min_upper_keypoints=3),
    dict(type="orplugins.RandomBodyCrop"),
    dict(
        type="RandomBBoxTransform",
        shift_factor=0.16,
        shift_prob=0.3,
        scale_factor=(0.5, 1.5),
        rotate_factor=80.0,
        rotate_prob=0.6,
    ),
    dict(type="TopdownAffine", input_size=codec["input_size"], use_udp=True),
    dict(type="orplugins.MarkOutOfView"),
    dict(type="GenerateTarget", encoder=codec),
    dict(type="orplugins.PackPartialBodyInputs"),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_evaluator = [
    dict(type="orplugins.PeopleCocoMetric", ann_file="data/coco/annotations/person_keypoints_val2017.json"),
    dict(type="orplugins.JointStateMetric", unlabelled="unknown"),
]
test_evaluator = val_evaluator
optim_wrapper = dict(paramwise_cfg=dict(num_layers=12, layer_decay_rate=0.8))
