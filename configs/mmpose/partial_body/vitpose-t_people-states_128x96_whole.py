# The same without views of parts in training, as a measure of what they bring.
_base_ = ['./vitpose-t_people-states_128x96.py']

codec = _base_.codec
train_pipeline = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='RandomFlip', direction='horizontal'),
    dict(type='RandomHalfBody', min_upper_keypoints=3),
    dict(type='RandomBBoxTransform', shift_factor=0.1, scale_factor=(0.75, 1.25), rotate_factor=30.),
    dict(type='TopdownAffine', input_size=codec['input_size'], use_udp=True),
    dict(type='orplugins.MarkOutOfView'),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='orplugins.PackPartialBodyInputs')
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
