# The 22 points of the released joint set: the 21, and the back of a casualty who lies face down.
_base_ = ["./vitpose-b_patient-21_256x192.py"]

model = dict(head=dict(out_channels=22))
train_dataloader = dict(dataset=dict(type="orplugins.Patient22Dataset"))
val_dataloader = dict(dataset=dict(type="orplugins.Patient22Dataset"))
test_dataloader = val_dataloader
