# COCO's 17 joints: the public ViTPose-B checkpoints of mmpose 0.x and 1.x load as they are (classic head).
_base_ = ["./vitpose-b_patient-21_256x192.py"]

model = dict(head=dict(out_channels=17))
train_dataloader = dict(
    dataset=dict(
        type="orplugins.PartialBodyDataset",
        data_root="data/coco/",
        ann_file="annotations/person_keypoints_train2017.json",
        data_prefix=dict(img="train2017/"),
    )
)
val_dataloader = dict(
    dataset=dict(
        type="orplugins.PartialBodyDataset",
        data_root="data/coco/",
        ann_file="annotations/person_keypoints_val2017.json",
        data_prefix=dict(img="val2017/"),
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(ann_file="data/coco/annotations/person_keypoints_val2017.json")
test_evaluator = val_evaluator
