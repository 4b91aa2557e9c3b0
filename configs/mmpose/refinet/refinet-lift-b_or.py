# Lifting and module B alone for operating rooms: what demo/refinet_or-b.safetensors is for, and tools/refine3d.py's default.
# Its test writes the poses that module C starts from.
_base_ = ['./refinet_or.py']

model = dict(patch_net=None, point_net=None)
test_evaluator = [
    dict(type='orplugins.JointDistance', by_visibility=True, lifting=dict(window='pixel', holes='person')),
    dict(type='orplugins.DumpPoses', out_file='outputs/refinet/or_b-test.npz')
]
