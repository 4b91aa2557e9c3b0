# Modules A, lift, B and C in one pass on ITOP's side view, with the published preparation. For mmpose's
# tools/test.py with a checkpoint of `tools/refinet_files.py merge-weights`.
_base_ = ['../../_base_/refinet_runtime.py']

model = dict(
    type='orplugins.DepthPoseRefiner',
    patch_net=dict(type='orplugins.RefiNetPatchNet'),
    skeleton_net=dict(type='orplugins.RefiNetSkeletonNet'),
    point_net=dict(type='orplugins.RefiNetPointNet'),
    patches=dict(preparation='published', normalize='domain'),
    lifting=dict(window='itop'),
    clouds=dict(preparation='published', num_points=2000),
    absolute=True,
    missing='published')

test_pipeline = [
    dict(type='orplugins.InitInputPose', source='file'),
    dict(type='orplugins.UseDepth'),
    dict(type='orplugins.PackRefineInputs', with_depth=True)
]
test_dataloader = dict(
    batch_size=1,
    num_workers=4,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        type='orplugins.ItopDataset',
        data_root='data/',
        view='side',
        split='test',
        keypoint_file='data/ITOP/keypoints_side_test.npz',
        keypoint_format='px',
        pipeline=test_pipeline,
        test_mode=True))
test_evaluator = [
    dict(type='orplugins.JointDistance', decimals=3),
    dict(type='orplugins.RefineOKS'),
    dict(type='orplugins.DumpPoses', out_file='outputs/refinet/side_chain.npz')
]
