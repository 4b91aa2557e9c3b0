# The arms of whoever treats the casualty, 6 points.
_base_ = ["./vitpose-b_patient-21_256x192.py"]

model = dict(head=dict(out_channels=6))
train_dataloader = dict(dataset=dict(type="orplugins.User6Dataset", ann_file="annotations/user_train.json"))
val_dataloader = dict(dataset=dict(type="orplugins.User6Dataset", ann_file="annotations/user_val.json"))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file="data/partial_body/annotations/user_val.json")
test_evaluator = val_evaluator
