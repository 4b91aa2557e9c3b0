# Further training of the small network on two sets at once, one of every kind of scene and one of the theatre alone:
# what finds people in real images, and does not forget the theatre. `load_from` names weights of
# depthpose_small-64x48_varied.py. The last training of the shipped depthpose_small-64x48 (dev/train_shipped.py).
_base_ = ["./depthpose_small-64x48_varied.py"]

data_root = "data/depth_people/"
dataset = dict(type="CocoDataset", ann_file="annotations/coco17.json", data_mode="bottomup")
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type="CombinedDataset",
        metainfo=dict(from_file="configs/_base_/datasets/coco.py"),
        datasets=[
            dict(data_root=data_root + "varied/", **dataset),
            dict(data_root=data_root + "theatre/", **dataset),
        ],
        pipeline={{_base_.train_pipeline}},
    )
)

optim_wrapper = dict(optimizer=dict(lr=1e-3))
train_cfg = dict(max_epochs=4)
param_scheduler = [
    dict(type="LinearLR", begin=0, end=50, start_factor=0.05, by_epoch=False),
    dict(type="CosineAnnealingLR", eta_min=2e-5, begin=0, end=4, by_epoch=True, convert_to_iter_based=True),
]
