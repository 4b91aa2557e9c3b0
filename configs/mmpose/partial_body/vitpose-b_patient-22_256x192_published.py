# For released weights with 22 points.
_base_ = ["./vitpose-b_patient-21_256x192_published.py"]

model = dict(head=dict(out_channels=22))
train_dataloader = dict(dataset=dict(type="orplugins.PublishedPatient22Dataset"))
val_dataloader = dict(dataset=dict(type="orplugins.PublishedPatient22Dataset"))
test_dataloader = val_dataloader
