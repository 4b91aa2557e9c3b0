"""Temporal lifting in mmpose: what stock mmpose has and gets wrong is right here, and training really trains."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")

from mmengine.logging import MessageHub  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402
from mmengine.structures import InstanceData  # noqa: E402
from mmpose.models.backbones import TCN  # noqa: E402
from mmpose.models.heads import TemporalRegressionHead  # noqa: E402
from mmpose.registry import DATASETS, HOOKS, KEYPOINT_CODECS, METRICS, MODELS, TRANSFORMS  # noqa: E402
from mmpose.structures import PoseDataSample  # noqa: E402

from orplugins.skeletons import H36M_PARENTS  # noqa: E402
from orplugins.synthetic.motion_points import write_lifting_data  # noqa: E402
from orplugins.videopose3d.losses import bone_length_loss, projection_loss  # noqa: E402
from orplugins.videopose3d.screen import to_screen  # noqa: E402


@pytest.fixture(autouse=True)
def scope():
    init_default_scope("mmpose")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("motion")
    write_lifting_data(folder, ["S1", "V1"], frames=20)
    return str(folder)


def tcn(**extra) -> dict:
    return dict(
        type="orplugins.VideoPoseTCN", in_channels=34, stem_channels=16, num_blocks=2, kernel_sizes=(3, 3, 3), **extra
    )


def lifter(trajectory=False, **extra):
    head = dict(in_channels=16, loss=dict(type="MPJPELoss"))
    if trajectory:
        extra |= dict(traj_backbone=tcn(), traj_head=dict(type="orplugins.RootTrajectoryHead", num_joints=1, **head))
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type="orplugins.VideoPoseLifter",
            backbone=tcn(),
            head=dict(type="orplugins.DenseTemporalHead", num_joints=17, **head),
            **extra,
        )
    )
    model.eval()
    return model


@pytest.mark.parametrize("causal", [False, True])
def test_windows_run_strided_and_clips_dilated_with_the_same_answer(causal):
    model, x = MODELS.build(tcn(causal=causal)), torch.randn(2, 34, 40)
    model.eval()
    clip = model(x)[-1]
    windows = torch.stack([model(x[:, :, t : t + 27])[-1][..., 0] for t in range(14)], -1)
    torch.testing.assert_close(windows, clip, rtol=1e-4, atol=1e-5)
    stock = TCN(34, 16, 2, (3, 3, 3), causal=causal)
    stock.load_state_dict(model.state_dict())
    stock.eval()
    torch.testing.assert_close(stock(x)[-1], clip)
    with pytest.raises(ValueError, match="26 frames, expected at least 27"):
        model(x[:, :, :26])


def test_dense_head_keeps_joints_and_frames_apart():
    head = MODELS.build(dict(type="orplugins.DenseTemporalHead", in_channels=16, num_joints=17))
    feats = [torch.randn(2, 16, 5)]
    expected = head.conv(feats[0]).permute(0, 2, 1).reshape(2, 5, 17, 3)
    torch.testing.assert_close(head.dense(feats), expected)
    torch.testing.assert_close(head.forward(feats), expected.flatten(0, 1))
    scrambled = TemporalRegressionHead.forward(head, feats)  # mmpose's own
    assert (scrambled - expected.flatten(0, 1)).abs().max() > 0.1


def test_flip_test_runs_and_is_symmetric():
    model = lifter(test_cfg=dict(flip_test=True, root="none"))
    x = torch.randn(1, 34, 30)
    sample = model.predict(x, [PoseDataSample()])[0]
    poses = sample.pred_instances.keypoints
    joints = x.unflatten(1, (17, 2))[:, list(model.source.flip_indices)] * torch.tensor([-1.0, 1.0])[:, None]
    mirrored = model.predict(joints.flatten(1, 2), [PoseDataSample()])[0].pred_instances.keypoints
    expected = mirrored[:, list(model.target.flip_indices)] * (-1, 1, 1)
    np.testing.assert_allclose(poses, expected, atol=1e-5)


def test_roots_of_a_prediction():
    root = np.array([[1.0, 2.0, 3.0]])
    for kind, expected in (("none", 0), ("target", root), ("trajectory", None)):
        model = lifter(trajectory=True, test_cfg=dict(root=kind))
        bare, trajectory = (value.detach().numpy() for value in model.dense(torch.ones(1, 34, 27)))
        sample = PoseDataSample(metainfo=dict(target_root=root))
        found = model.predict(torch.ones(1, 34, 27), [sample])[0].pred_instances.keypoints
        np.testing.assert_allclose(found, bare[0] + (trajectory[0] if expected is None else expected), atol=1e-5)
    with pytest.raises(ValueError, match="test_cfg.root"):
        lifter(test_cfg=dict(root="middle"))


def test_mirroring_twice_is_nothing_and_once_is_about_the_middle_of_the_picture():
    transform = TRANSFORMS.build(dict(type="orplugins.MirrorPoseSequence"))
    rng = np.random.default_rng(0)
    results = {
        "keypoints": rng.uniform(0, 640, (5, 17, 2)).astype(np.float32),
        "mirror": True,
        "lifting_target": rng.normal(size=(1, 17, 3)),
        "camera_param": {"w": 640, "h": 480, "intrinsics": rng.normal(size=9)},
    }
    before = {key: np.copy(results[key]) for key in ("keypoints", "lifting_target")}
    intrinsics = results["camera_param"]["intrinsics"].copy()
    once = transform(dict(results))
    screen = to_screen(before["keypoints"], (640, 480)), to_screen(once["keypoints"], (640, 480))
    np.testing.assert_allclose(screen[1][:, 1], screen[0][:, 2] * (-1, 1), atol=1e-5)
    assert (
        once["camera_param"]["intrinsics"][2] == -intrinsics[2]
        and once["camera_param"]["intrinsics"][7] == -intrinsics[7]
    )
    twice = transform(once)
    np.testing.assert_allclose(twice["keypoints"], before["keypoints"], atol=1e-3)
    np.testing.assert_allclose(twice["lifting_target"], before["lifting_target"])
    np.testing.assert_array_equal(results["camera_param"]["intrinsics"], intrinsics)  # the input's own is untouched
    assert transform(dict(results, mirror=False))["keypoints"] is results["keypoints"]


def dataset(data, labelled=True, **extra):
    codec = dict(type="orplugins.VideoPoseCodec", num_keypoints=17, causal=extra.get("causal", False))
    keys = ("id", "clip", "frame", "action", "labelled", "target_root")
    pipeline = [
        dict(type="orplugins.MirrorPoseSequence", source="h36m_17"),
        dict(type="GenerateTarget", encoder=codec),
        dict(type="PackPoseInputs", meta_keys=keys),
    ]
    return DATASETS.build(
        dict(
            type="orplugins.VideoPose3DDataset",
            data_root=data,
            keypoints_file="data_2d_motion_h36m.npz",
            camera_file="cameras.json",
            positions_file="data_3d_motion.npz" if labelled else None,
            source="h36m_17",
            subjects=["S1"],
            receptive_field=27,
            pipeline=pipeline,
            **extra,
        )
    )


@pytest.mark.parametrize("causal", [False, True])
def test_windows_and_labels(data, causal):
    found = dataset(data, chunk=4, causal=causal, mirror=True)
    assert len(found) == 2 * 4 * 3 * 5
    sample = found[1]
    assert sample["inputs"].shape == (34, 30)
    labels = sample["data_samples"].gt_instance_labels
    at = slice(26, 30) if causal else slice(13, 17)
    np.testing.assert_allclose(
        labels.keypoints_target, sample["inputs"].unflatten(0, (17, 2))[:, :, at].permute(2, 0, 1)
    )
    assert labels.trajectory_target.shape == (4, 1, 3)
    np.testing.assert_allclose(labels.trajectory_weights, 1 / labels.trajectory_target[..., 2])
    assert labels.lifting_target_label[:, 0].abs().max() == 0
    # The root projects onto the 2D root, and mirrored samples do so in the mirrored camera.
    for index in (1, 1 + len(found) // 2):
        labels = found[index]["data_samples"].gt_instance_labels
        pose = labels.lifting_target_label[None]
        loss = projection_loss(
            pose, labels.trajectory_target[None], labels.intrinsics[:1], labels.keypoints_target[None]
        )
        assert loss < 0.01  # 1 px of noise is 0.003


def test_semi_supervised_loss_is_its_terms_and_two_steps_change_both_networks(data):
    model = lifter(trajectory=True, source="h36m_17", semi=dict(parents=H36M_PARENTS, warmup_epochs=1))
    labelled, rest = dataset(data, chunk=1), dataset(data, labelled=False, chunk=1)
    samples = [labelled[k] for k in range(4)] + [rest[k] for k in range(5, 9)]
    inputs, records = torch.stack([s["inputs"] for s in samples]), [s["data_samples"] for s in samples]
    hub = MessageHub.get_current_instance()
    hub.update_info("epoch", 0)
    assert set(model.loss(inputs, records)) == {"loss_pose3d", "mpjpe", "loss_traj"}
    hub.update_info("epoch", 1)
    model.eval()  # no dropout: the terms can be computed again
    losses = model.loss(inputs, records)
    poses, paths = model.dense(inputs)
    torch.testing.assert_close(losses["loss_bone"], bone_length_loss(poses[:4], poses[4:], H36M_PARENTS))
    target = torch.stack([r.gt_instance_labels.keypoints_target for r in records[4:]])
    intrinsics = torch.stack([r.gt_instance_labels.intrinsics[0] for r in records[4:]])
    torch.testing.assert_close(losses["loss_projection"], projection_loss(poses[4:], paths[4:], intrinsics, target))
    before = {name: value.clone() for name, value in model.named_parameters()}
    model.train()
    optimiser = torch.optim.Adam(model.parameters(), 1e-3, amsgrad=True)
    for _ in range(2):
        optimiser.zero_grad()
        sum(value for name, value in model.loss(inputs, records).items() if name.startswith("loss")).backward()
        optimiser.step()
    assert all(not torch.equal(value, before[name]) for name, value in model.named_parameters())
    hub.update_info("epoch", 0)


def test_semi_supervised_losses_fall(data):
    """Forty steps on one batch: every term ends below where it began, those of the unlabelled half too."""
    torch.manual_seed(0)
    model = lifter(trajectory=True, source="h36m_17", semi=dict(parents=H36M_PARENTS, warmup_epochs=0))
    labelled, rest = dataset(data, chunk=1), dataset(data, labelled=False, chunk=1)
    samples = [labelled[k] for k in range(8)] + [rest[k] for k in range(8, 16)]
    inputs, records = torch.stack([s["inputs"] for s in samples]), [s["data_samples"] for s in samples]
    optimiser, seen = torch.optim.Adam(model.parameters(), 3e-2), []
    for _ in range(40):
        losses = {name: value for name, value in model.loss(inputs, records).items() if name.startswith("loss")}
        optimiser.zero_grad()
        sum(losses.values()).backward()
        optimiser.step()
        seen.append({name: float(value) for name, value in losses.items()})
    assert set(seen[0]) == {"loss_pose3d", "loss_traj", "loss_bone", "loss_projection"}
    for name in seen[0]:
        first, last = (np.mean([step[name] for step in part]) for part in (seen[:5], seen[-5:]))
        assert last < 0.8 * first, (name, first, last)


def test_semi_supervised_configuration_errors():
    with pytest.raises(ValueError, match="one joint set"):
        lifter(trajectory=True, semi=dict(parents=H36M_PARENTS))
    with pytest.raises(ValueError, match="needs a traj_head"):
        lifter(source="h36m_17", semi=dict(parents=H36M_PARENTS))


def test_momentum_falls():
    class Runner:
        epoch, max_epochs, model = 0, 10, torch.nn.BatchNorm1d(3)

    hook = HOOKS.build(dict(type="orplugins.BatchNormMomentumHook"))
    seen = []
    for Runner.epoch in (0, 5, 10):
        hook.before_train_epoch(Runner)
        seen.append(Runner.model.momentum)
    np.testing.assert_allclose(seen, [0.1, 0.01, 0.001])
    with pytest.raises(ValueError, match="expected 0 < end"):
        HOOKS.build(dict(type="orplugins.BatchNormMomentumHook", start=0.001, end=0.1))


def test_metric_joins_windows_and_weights_actions():
    metric, rng = (
        METRICS.build(dict(type="orplugins.MotionMetric", fps=50.0, per_action=True)),
        np.random.default_rng(0),
    )
    for clip, (action, shift) in enumerate((("Walking 1", 0.1), ("Eating", 0.2))):
        target = rng.normal(size=(8, 17, 3))
        predicted = target + (shift, 0, 0)
        for start in (4, 0):  # in any order
            gt = InstanceData(lifting_target=target[start : start + 4])
            pred = InstanceData(keypoints=predicted[start : start + 4])
            metric.process(
                {},
                [
                    {
                        "gt_instances": gt,
                        "pred_instances": pred,
                        "target_root": np.zeros((4, 3)),
                        "clip": clip,
                        "frame": start,
                        "action": action,
                    }
                ],
            )
    found = metric.evaluate(4)
    assert found["motion/MPJPE"] == pytest.approx(150) and found["motion/Walking/MPJPE"] == pytest.approx(100)
    assert found["motion/P-MPJPE"] == pytest.approx(0, abs=1e-6) and found["motion/MPJVE"] == pytest.approx(0, abs=1e-6)


def test_codec_is_mmposes_but_for_the_trajectory():
    codec = KEYPOINT_CODECS.build(dict(type="orplugins.VideoPoseCodec", num_keypoints=17))
    stock = KEYPOINT_CODECS.build(dict(type="VideoPoseLifting", num_keypoints=17))
    rng = np.random.default_rng(0)
    arguments = (rng.uniform(0, 640, (27, 17, 2)), None, rng.normal(size=(1, 17, 3)) + (0, 0, 4), np.ones((1, 17)))
    camera = {"w": 640, "h": 480, "intrinsics": np.zeros(9)}
    ours, theirs = codec.encode(*arguments, camera), stock.encode(*arguments, camera)
    for key in ("keypoint_labels", "lifting_target_label", "lifting_target_weight", "target_root"):
        np.testing.assert_allclose(ours[key], theirs[key], atol=1e-6)
