"""RefiNet's adapters: flags along the chain, the head's variants, checkpoints, bad input."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")

from mmengine.registry import init_default_scope  # noqa: E402
from mmengine.structures import InstanceData  # noqa: E402
from mmpose.registry import METRICS, MODELS, TRANSFORMS  # noqa: E402
from mmpose.structures import PoseDataSample  # noqa: E402

from orplugins.refinet.depth_camera import ITOP_CAMERA  # noqa: E402

SMALL = dict(
    patch_net=dict(type="orplugins.RefiNetPatchNet", width=8, hidden=8),
    skeleton_net=dict(type="orplugins.RefiNetSkeletonNet", width=16),
    point_net=dict(type="orplugins.RefiNetPointNet", widths=(8, 8, 16), hidden=(8, 8), head=8),
    clouds=dict(num_points=64),
)


@pytest.fixture(autouse=True)
def scope():
    init_default_scope("mmpose")
    torch.manual_seed(0)


def chain(**options):
    return MODELS.build(dict(type="orplugins.DepthPoseRefiner", **{**SMALL, **options})).eval()


def sample(people: int, valid: np.ndarray | None = None, unit: str = "px") -> PoseDataSample:
    pixels = np.random.default_rng(1).uniform((60, 60), (260, 180), (people, 15, 2)).astype(np.float32)
    valid = np.ones((people, 15), np.float32) if valid is None else valid
    found = PoseDataSample(
        metainfo=dict(camera=ITOP_CAMERA, input_unit=unit, frame_id="f", input_scores=np.full((people, 15), 0.9))
    )
    found.gt_instance_labels = InstanceData(input_pose=torch.from_numpy(pixels), input_valid=torch.as_tensor(valid))
    return found


def run(model, samples, depth=None):
    depth = torch.full((1, 240, 320), 2500.0) if depth is None else depth
    return model.test_step(dict(inputs=[depth] * len(samples), data_samples=samples))


def test_a_missing_joint_stays_missing_along_the_chain():
    valid = np.ones((2, 15), np.float32)
    valid[0, 3] = valid[1, 14] = 0
    found = run(chain(), [sample(2, valid)])[0].pred_instances
    np.testing.assert_array_equal(found.keypoints_valid, valid > 0)
    for key in ("keypoints_3d", "stage_a", "stage_b", "stage_c"):
        assert not found[key][valid == 0].any() and found[key][valid > 0].any(-1).all()
    assert not found.keypoint_scores[valid == 0].any() and (found.keypoint_scores[valid > 0] == np.float32(0.9)).all()
    assert (found.cloud_counts[valid == 0] == 0).all()
    published = run(chain(missing="published"), [sample(2, valid)])[0].pred_instances
    assert published.keypoints_valid.all()


@pytest.mark.parametrize("people", [0, 1, 3])
def test_any_number_of_people_and_of_modules(people):
    for left_out in ((), ("patch_net",), ("skeleton_net",), ("point_net",), ("patch_net", "skeleton_net", "point_net")):
        model = chain(**dict.fromkeys(left_out))
        found = run(model, [sample(people)])[0].pred_instances
        assert found.keypoints_3d.shape == (people, 15, 3) and np.isfinite(found.keypoints_3d).all()


def test_nothing_to_see():
    found = run(chain(), [sample(1)], torch.zeros(1, 240, 320))[0].pred_instances
    assert not found.keypoints_valid.any() and not found.keypoints_3d.any()
    found = run(chain(), [sample(1, np.zeros((1, 15), np.float32))])[0].pred_instances
    assert not found.keypoints_valid.any()


def test_people_do_not_depend_on_each_other():
    model, both = chain(), sample(2)
    together = run(model, [both])[0].pred_instances.keypoints_3d.copy()
    for k in range(2):
        alone = sample(2)
        alone.gt_instance_labels = alone.gt_instance_labels[k : k + 1]
        alone.set_metainfo(dict(input_scores=np.full((1, 15), 0.9)))
        np.testing.assert_allclose(run(model, [alone])[0].pred_instances.keypoints_3d[0], together[k], atol=1e-2)


def test_bad_input_of_the_chain():
    with pytest.raises(ValueError, match="input poses in mm.*expected pixels"):
        run(chain(), [sample(1, unit="mm")])
    with pytest.raises(ValueError, match="metres"):
        run(chain(), [sample(1)], torch.full((1, 240, 320), 2.5))
    with pytest.raises(NotImplementedError, match="train its modules"):
        chain().loss(None, None)


def module(**head):
    decoder = head.pop("decoder", dict(type="orplugins.JointOffset"))
    return MODELS.build(
        dict(
            type="orplugins.RefiNetModule",
            backbone=dict(type="orplugins.RefiNetSkeletonNet", width=16, dropout=0.0),
            head=dict(type="orplugins.OffsetHead", decoder=decoder, **head),
        )
    )


def record(**more) -> dict:
    rng = np.random.default_rng(2)
    truth = rng.normal((0, 0, 2500), 200, (15, 3)).astype(np.float32)
    return (
        dict(
            pose=truth + 50,
            pose_unit="mm",
            pose_valid=np.ones(15, bool),
            pose_scores=np.ones(15),
            visible=np.ones(15),
            label_visible=np.ones(15),
            label_px=ITOP_CAMERA.project(truth),
            label_mm=truth,
            camera=ITOP_CAMERA,
            row=0,
            index=0,
            img_id=0,
            frame_id="f",
            half_depth=False,
            depth_mm=np.full((240, 320), 2500.0, np.float32),
            file_pose=None,
            file_format="px",
        )
        | more
    )


def packed(codec: dict, root: str = "camera") -> dict:
    results = record()
    steps = ("NormalizeSkeleton", dict(root=root)), ("EncodeOffsets", dict(encoder=codec)), ("PackRefineInputs", {})
    for name, options in steps:
        step = dict(type=f"orplugins.{name}", **options)
        results = TRANSFORMS.build(step)(results)
    return results


@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("root", ["camera", "median"])
@pytest.mark.parametrize("unit", [1.0, 300.0])
def test_the_right_output_gives_the_truth(absolute, root, unit):
    codec = dict(type="orplugins.JointOffset", absolute=absolute, unit=unit)
    item, model = packed(codec, root), module(decoder=codec, loss="distance")
    sample = item["data_samples"]
    output = (sample.gt_instance_labels.keypoint_labels,)
    found = model.head.predict(output, [sample])[0]
    np.testing.assert_allclose(found.keypoints_3d, sample.gt_instances.keypoints_3d, atol=1e-2)
    assert model.head.loss(output, [sample])["loss_mse"].item() == pytest.approx(0, abs=1e-2)
    added = dict(codec, apply="add")
    if not absolute:  # the published sign error moves the pose away from the truth by as much as it was off
        wrong = module(decoder=added).head.predict(output, [sample])[0]
        np.testing.assert_allclose(wrong.keypoints_3d - sample.gt_instances.keypoints_3d, 100, atol=1e-2)


def test_all_terms_of_module_b_train():
    item = packed(dict(type="orplugins.JointOffset"))
    model = module(mse_weight=0.1, symmetry_weight=1.0, range_weight=1.0, feet="sample").train()
    batch = dict(inputs=[item["inputs"]] * 2, data_samples=[item["data_samples"]] * 2)
    losses = model.loss(torch.stack(batch["inputs"]), batch["data_samples"])
    assert set(losses) == {"loss_mse", "loss_symmetry", "loss_range"}
    sum(losses.values()).backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())


def test_a_checkpoint_for_other_options_is_refused():
    published = {f"module.{k}": v for k, v in module().backbone.net.state_dict().items()}
    other = MODELS.build(
        dict(
            type="orplugins.RefiNetModule",
            backbone=dict(type="orplugins.RefiNetSkeletonNet", width=16, attention=True),
            head=dict(type="orplugins.OffsetHead", decoder=dict(type="orplugins.JointOffset")),
        )
    )
    with pytest.raises(ValueError, match="option attention"):
        other.load_state_dict(published, strict=False)
    module().load_state_dict(published)
    module().load_state_dict(module().state_dict())


def test_input_pose_sources_and_noise():
    def step(name, results, **options):
        return TRANSFORMS.build(dict(type=f"orplugins.{name}", **options))(results)

    with pytest.raises(ValueError, match="frame f: no input pose"):
        step("InitInputPose", record(), source="file")
    mixed = np.concatenate([record()["label_px"], record()["label_mm"][:, 2:]], axis=1)
    mixed[4] = 0
    found = step("InitInputPose", record(file_pose=mixed, file_format="px_mm"), source="file")
    assert found["pose_unit"] == "mm" and not found["pose_valid"][4]
    np.testing.assert_allclose(found["pose"][0], record()["label_mm"][0], atol=0.1)
    with pytest.raises(ValueError, match="expected LiftPose"):
        step("AddPoseNoise", record(pose_unit="px"), sigma=5, unit="mm")
    moved = step("AddPoseNoise", found, sigma=5, unit="mm")
    assert not moved["pose"][4].any()  # a missing joint is not moved
    for bad in (dict(name="InitInputPose", source="x"), dict(name="AddPoseNoise", sigma=1, unit="x")):
        with pytest.raises(ValueError, match="found"):
            step(bad.pop("name"), record(), **bad)


def test_metric_by_visibility_and_without_depth():
    metric = METRICS.build(dict(type="orplugins.JointDistance", by_visibility=True, table=False))
    truth, seen = np.zeros((1, 15, 3)), np.ones((1, 15))
    seen[0, :5] = 0
    pose = truth + np.where(seen[..., None] == 1, (20, 0, 0), (200, 0, 0))
    entry = {
        "row": 0,
        "camera": ITOP_CAMERA,
        "pred_instances": {"keypoints_3d": pose},
        "gt_instance_labels": {"input_pose": truth},
        "gt_instances": {
            "keypoints": truth[..., :2],
            "keypoints_3d": truth,
            "keypoints_visible": np.ones((1, 15)),
            "keypoints_seen": seen,
        },
    }
    metric.process(None, [entry])
    found = metric.compute_metrics(metric.results)
    assert found["mde_cm_visible"] == pytest.approx(2) and found["mde_cm_occluded"] == pytest.approx(20)
    assert found["acc@10cm"] == pytest.approx(10 / 15) and found["input/mde_cm"] == 0
    entry["pred_instances"] = {"keypoints": truth[..., :2]}
    with pytest.raises(ValueError, match="no 'depth_mm'"):
        metric.process(None, [entry])


@pytest.mark.parametrize("name", ["b", "c"])
def test_a_module_goes_on_from_the_shipped_chain(name):
    from mmengine.config import Config
    from mmengine.runner.checkpoint import load_checkpoint

    from orplugins.resources import resource

    model = MODELS.build(Config.fromfile(resource(f"configs/mmpose/refinet/refinet-{name}_or.py")).model)
    weights = load_checkpoint(model, str(resource("demo/refinet_or-bc.safetensors")), map_location="cpu")["state_dict"]
    network = {"b": "skeleton_net", "c": "point_net"}[name]
    state = model.state_dict()
    own = {key: value for key, value in weights.items() if key.startswith(f"chain.{network}.net.")}
    assert own and all(torch.equal(state[f"backbone.net.{k.partition('.net.')[2]}"], v.float()) for k, v in own.items())
