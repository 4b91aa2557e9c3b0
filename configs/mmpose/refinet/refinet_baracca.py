# The chain on Baracca, which has no ground truth: refined poses are written to a file. Two quirks of the published
# program are left out: it adds offsets that are trained to be subtracted (apply='add'), and takes point sets at the
# mirrored height (data set: preparation='published').
_base_ = ['../../_base_/refinet_runtime.py']

model = dict(
    type='orplugins.DepthPoseRefiner',
    patch_net=dict(type='orplugins.RefiNetPatchNet'),
    skeleton_net=dict(type='orplugins.RefiNetSkeletonNet'),
    point_net=dict(type='orplugins.RefiNetPointNet'),
    patches=dict(preparation='published', normalize='patch'),
    lifting=dict(window='baracca'),
    clouds=dict(preparation='published', num_points=2000),
    absolute=False,
    apply='subtract')

test_pipeline = [
    dict(type='orplugins.InitInputPose', source='file'),
    dict(type='orplugins.UseDepth'),
    dict(type='orplugins.PackRefineInputs')
]
test_dataloader = dict(
    batch_size=1,
    num_workers=4,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        type='orplugins.BaraccaDataset',
        data_root='data/Baracca/',
        keypoint_file='data/Baracca/keypoints.npz',
        preparation='correct',
        pipeline=test_pipeline,
        test_mode=True))
test_evaluator = [dict(type='orplugins.DumpPoses', out_file='outputs/refinet/baracca.npz')]
