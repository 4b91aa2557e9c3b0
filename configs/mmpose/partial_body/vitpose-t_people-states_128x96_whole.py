# The same without views of parts in training, as a measure of what they bring.
_base_ = ["./vitpose-t_people-states_128x96.py"]

custom_hooks = [dict(type="SyncBuffersHook"), dict(type="orplugins.SeedEpochHook")]
