# A depth data set in COCO-17 for training and in MVOR's layout for validation, as tools/make_or_dataset.py writes
# it. Configs that inherit from this one add the pipelines.
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(
        type="CocoDataset",
        data_root="data/depth_people/train/",
        ann_file="annotations/coco17.json",
        data_mode="bottomup",
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    dataset=dict(
        type="orplugins.MVORDataset",
        data_root="data/depth_people/val/",
        ann_file="annotations/mvor.json",
        modality="depth",
        data_mode="bottomup",
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type="orplugins.MVORPCKMetric", ann_file="data/depth_people/val/annotations/mvor.json")
test_evaluator = val_evaluator
