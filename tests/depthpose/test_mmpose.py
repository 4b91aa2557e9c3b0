"""DepthPose in mmpose: codec, flip test, checkpoints, initialisation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")

from mmengine.config import Config  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402
from mmpose.registry import KEYPOINT_CODECS, MODELS  # noqa: E402
from mmpose.structures import PoseDataSample  # noqa: E402

from orplugins.depthpose.network import DepthPose, StageOutput, init_depthpose  # noqa: E402
from orplugins.depthpose.paf.published import merge_flip  # noqa: E402

CONFIGS = Path(__file__).resolve().parents[2] / "configs/mmpose/depthpose"
# A standing person in COCO's order, about 16 x 32 units, its nose at (0, 0).
PERSON = np.array(
    [[0, 0], [1.6, -1.4], [-1.6, -1.4], [3.2, -0.5], [-3.2, -0.5], [4, 5], [-4, 5], [6.5, 11], [-6.5, 11], [7, 17],
     [-7, 17], [2.6, 17], [-2.6, 17], [3, 25], [-3, 25], [3, 33], [-3, 33]], dtype=np.float64)  # fmt: skip


def codec(**kwargs):
    init_default_scope("mmpose")
    return KEYPOINT_CODECS.build({"type": "orplugins.PAFCodec", **kwargs})


def model_config(**changes) -> dict:
    config = Config.fromfile(CONFIGS / "depthpose_tiny-64x48.py").model
    config.update(changes)
    return config


def build(config=None, seed=0):
    init_default_scope("mmpose")
    torch.manual_seed(seed)
    model = MODELS.build(config or model_config())
    model.init_weights()
    return model.eval()


def lively(model):
    """Give maps that a decoder finds people in: untrained ones are near zero."""
    for stage in (*model.head.stages.heatmap_stages, *model.head.stages.paf_stages):
        torch.nn.init.normal_(stage[-1].weight, std=0.3)
    return model


def samples(count=1, frame=(640, 480)):
    meta = dict(input_size=(64, 48), input_center=np.array(frame) / 2, input_scale=np.array(frame, dtype=np.float32))
    return [PoseDataSample(metainfo={**meta, "img_id": k}) for k in range(count)]


def pictures(count=1, seed=0):
    return torch.rand(count, 1, 48, 64, generator=torch.Generator().manual_seed(seed))


# codec


def in_order(found):
    return np.argsort(found[:, 0, 0])


@pytest.mark.parametrize("decode", ["fast", "published"])
@pytest.mark.parametrize(
    ("sizes", "scale", "unit"),
    [
        (dict(input_size=(64, 48)), 10, 1.0),
        (dict(input_size=(640, 480), map_size=(80, 60)), 8, 10.0),
        (dict(input_size=(80, 60)), 8, 1.2),
    ],
)
def test_encode_decode_gives_the_same_people(decode, sizes, scale, unit):
    paf = codec(**sizes, decode=decode, decode_scale=scale)
    width, height = sizes["input_size"]
    people = np.stack([PERSON * unit + (width * x, height * 0.15) for x in (0.25, 0.72)])
    encoded = paf.encode(people, np.ones((2, 17)))
    map_width, map_height = sizes.get("map_size", sizes["input_size"])
    assert encoded["heatmaps"].shape == (19, map_height, map_width)
    assert encoded["pafs"].shape == (38, map_height, map_width) and encoded["pafs"].dtype == np.float32
    keypoints, scores = paf.decode((encoded["heatmaps"], encoded["pafs"]))
    assert keypoints.shape == (2, 17, 2) and scores.shape == (2, 17) and (scores > 0.5).all()
    error = np.abs(keypoints[in_order(keypoints)] - people).max(-1)
    cell = width / map_width
    # Faces are a cell apart: there the sums of neighbouring peaks move the maximum.
    assert error[:, 5:].max() < 0.35 * cell and error.max() < 0.6 * cell


@pytest.mark.parametrize("decode", ["fast", "published"])
def test_missing_joints_are_zero(decode):
    paf = codec(input_size=(64, 48), decode=decode, decode_scale=10)
    visible = np.ones((1, 17))
    visible[0, [9, 10, 15, 16]] = 0
    encoded = paf.encode(PERSON[None] + (30, 8), visible)
    keypoints, scores = paf.decode((encoded["heatmaps"], encoded["pafs"]))
    assert len(keypoints) == 1
    np.testing.assert_array_equal(keypoints[visible == 0], 0)
    np.testing.assert_array_equal(scores > 0, visible > 0)


@pytest.mark.parametrize("decode", ["fast", "published"])
def test_nobody(decode):
    paf = codec(input_size=(64, 48), decode=decode, decode_scale=10)
    encoded = paf.encode(np.zeros((0, 17, 2)), np.zeros((0, 17)))
    assert (encoded["heatmaps"][:18] == 0).all() and (encoded["heatmaps"][18] == 1).all()
    keypoints, scores = paf.decode((encoded["heatmaps"], encoded["pafs"]))
    assert keypoints.shape == (0, 17, 2) and scores.shape == (0, 17)


def test_codec_refuses_other_joints():
    with pytest.raises(ValueError, match=r"expected \(N, 17, 2\)"):
        codec(input_size=(64, 48)).encode(np.zeros((1, 10, 2)))


# head and estimator


def test_flip_average_is_the_decoders():
    from orplugins.depthpose.mmpose.head import average_flip

    rng = np.random.default_rng(0)
    heat, flip_heat = (rng.normal(size=(2, 19, 6, 8)).astype(np.float32) for _ in range(2))
    paf, flip_paf = (rng.normal(size=(2, 38, 6, 8)).astype(np.float32) for _ in range(2))
    direct = StageOutput(torch.from_numpy(paf), torch.from_numpy(heat))
    found = average_flip(direct, StageOutput(torch.from_numpy(flip_paf), torch.from_numpy(flip_heat)))
    for k in range(2):
        expected_heat, expected_paf = merge_flip(heat[k], paf[k], flip_heat[k], flip_paf[k])
        np.testing.assert_allclose(found.heatmaps[k].numpy(), expected_heat, rtol=0, atol=1e-6)
        np.testing.assert_allclose(found.pafs[k].numpy(), expected_paf, rtol=0, atol=1e-6)


def test_flip_test_is_two_runs_of_mmposes_estimator():
    ours = lively(build(model_config(test_cfg=dict(flip_test=True, output_heatmaps=True))))
    config = model_config(type="BottomupPoseEstimator", test_cfg=dict(flip_test=True, output_heatmaps=True))
    stock = build(config)
    stock.load_state_dict(ours.state_dict())
    images = pictures(3)
    with torch.no_grad():
        found, expected = ours.predict(images, samples(3)), stock.predict(images, samples(3))
    assert sum(len(sample.pred_instances) for sample in expected) > 0
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a.pred_fields.heatmaps, b.pred_fields.heatmaps, rtol=0, atol=1e-5)
        assert len(a.pred_instances) == len(b.pred_instances)
        present = b.pred_instances.keypoint_scores > 0
        np.testing.assert_array_equal(a.pred_instances.keypoint_scores > 0, present)
        difference = np.abs(a.pred_instances.keypoints - b.pred_instances.keypoints)[present]
        np.testing.assert_allclose(difference, 0, atol=1e-2)


def test_missing_joints_stay_at_the_origin():
    from mmengine.structures import InstanceData

    model = build()
    people = InstanceData(
        keypoints=np.full((1, 17, 2), 8.0, np.float32),
        keypoint_scores=np.ones((1, 17), np.float32),
        bbox_scores=np.ones(1),
    )
    people.keypoints[0, 3], people.keypoint_scores[0, 3] = 0, 0
    (sample,) = samples()
    sample.set_metainfo({"input_center": np.array([300.0, 200.0])})  # a crop: (0, 0) would not map to itself
    (found,) = model.add_pred_to_datasample([people], None, [sample])
    np.testing.assert_array_equal(found.pred_instances.keypoints[0, 3], 0)
    np.testing.assert_allclose(found.pred_instances.keypoints[0, 4], (60, 40))


@pytest.mark.parametrize("flip_test", [False, True])
def test_image_without_people(flip_test):
    model = build(model_config(test_cfg=dict(flip_test=flip_test)))
    with torch.no_grad():
        found = model.predict(torch.zeros(2, 1, 48, 64), samples(2))
    for sample in found:
        assert sample.pred_instances.keypoints.shape == (0, 17, 2)
        assert sample.pred_instances.keypoint_scores.shape == (0, 17) and len(sample.pred_instances.bbox_scores) == 0


# checkpoints


def test_a_checkpoint_of_another_configuration_is_refused_with_a_list():
    other = model_config(head={**model_config().head, "first_width": 24})
    with pytest.raises(ValueError, match="does not fit the DepthPoseEstimator") as caught:
        build().load_state_dict(build(other).state_dict(), strict=False)
    assert "head.stages.paf_stages.0.0.weight: (24, " in str(caught.value)
    state = build().state_dict()
    state.pop("head.stages.paf_stages.0.0.bias")
    with pytest.raises(ValueError, match="head.stages.paf_stages.0.0.bias: missing"):
        build().load_state_dict(state, strict=False)
    build(model_config(strict_checkpoint=False)).load_state_dict(state, strict=False)


def test_published_names_of_another_size_are_refused():
    with pytest.raises(ValueError, match="backbone.trunk.sr.0.0.weight: "):
        names = {"stage1_conv1.weight": torch.zeros(64, 1, 3, 3), "model0.0.weight": torch.zeros(64, 64, 3, 3)}
        build().load_state_dict(names, strict=False)
    with pytest.raises(ValueError, match="unknown names other.weight"):
        build().load_state_dict({"model1_1.0.weight": torch.zeros(1), "other.weight": torch.zeros(1)}, strict=False)


def test_weights_of_the_reconstruction_are_optional():
    with_it, without = build(seed=1), build(model_config(head={**model_config().head, "reconstruction": None}), seed=2)
    state = with_it.state_dict()
    assert any(name.startswith("head.reconstruction.") for name in state)
    without.load_state_dict(state, strict=False)
    torch.testing.assert_close(without.state_dict(), {k: v for k, v in state.items() if "reconstruction" not in k})
    with_it.load_state_dict(without.state_dict(), strict=False)


# initialisation


def test_published_start_loses_the_signal_and_ours_does_not():
    stages = dict(width=32, first_width=32, first_hidden=64)
    stds = {}
    for init in ("published", "trainable"):
        torch.manual_seed(0)
        network = DepthPose(stages=stages).eval()
        init_depthpose(network, init)
        with torch.no_grad():
            out = network(pictures(1)[..., :24, :32])
        stds[init] = [max(stage.pafs.std().item(), stage.heatmaps.std().item()) for stage in out]
    assert max(stds["published"]) < 1e-6
    assert min(stds["trainable"]) > 1e-3
    with pytest.raises(ValueError, match="init = 'other'"):
        init_depthpose(network, "other")
