"""ViTPose-B: published names and weights in, features, heatmaps, points and optimiser groups out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cases import ROOT, case_arrays, fill_state_dict, index_of, params, parity_cases

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")

from mmengine.config import Config  # noqa: E402
from mmengine.dataset import Compose, pseudo_collate  # noqa: E402
from mmengine.optim import build_optim_wrapper  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402
from mmengine.runner import load_state_dict  # noqa: E402
from mmpose.models.utils.tta import flip_heatmaps  # noqa: E402
from mmpose.registry import KEYPOINT_CODECS, MODELS, TRANSFORMS  # noqa: E402
from mmpose.structures.bbox import get_udp_warp_matrix  # noqa: E402

from orplugins.partial_body.checkpoint import convert_vit  # noqa: E402

SYSTEM = "partial_body"
CONFIGS = Path(__file__).resolve().parents[2] / "configs/mmpose/partial_body"
ALL = parity_cases(SYSTEM)
NETWORK = [(n, (p, d)) for n, p, d in ALL if "paired_pairs" in d.get("flip", {})]
STAGE = [(n, (p, d)) for n, p, d in ALL if "formula" in d.get("image", {})]
TARGETS = [(n, (p, d)) for n, p, d in ALL if "half_body" in d]
DECAY = [(n, d) for n, _, d in ALL if "groups" in d and "base_weight_decay" in d]
NAMES = [(n, d) for n, _, d in ALL if isinstance(d.get("names"), dict)]


def config(name: str, joints: int) -> Config:
    init_default_scope("mmpose")
    loaded = Config.fromfile(CONFIGS / f"{name}.py")
    loaded.model.head.out_channels = joints
    return loaded


def filled(shapes: dict) -> dict:
    return {name: torch.as_tensor(np.asarray(value)) for name, value in fill_state_dict(shapes).items()}


def published_shapes(joints: int) -> dict:
    """Names and shapes of the 0.x network, from the case that lists them, for another number of joints."""
    if not NETWORK:
        pytest.skip(f"no case that lists the network's tensors in {ROOT / SYSTEM}")
    shapes = dict(NETWORK[0][1][1]["state_dict"])
    for name in ("keypoint_head.final_layer.weight", "keypoint_head.final_layer.bias"):
        shapes[name] = [joints, *shapes[name][1:]]
    return shapes


@pytest.fixture(scope="module", params=params(NETWORK, SYSTEM))
def network(request):
    """(case, arrays, model, features and maps by name)."""
    path, data = request.param
    arrays = case_arrays(path, data)
    model = MODELS.build(config("vitpose-b_patient-21_256x192_published", data["num_joints"]).model).eval()
    assert not any(model.load_state_dict(filled(data["state_dict"])))
    found = {}

    def keep(name, index):
        return lambda _, __, out: found.update({name: out.numpy()[index]})

    modules = {f"after_block{k}": layer for k, layer in enumerate(model.backbone.layers)} | {
        "after_patch_embed": model.backbone.patch_embed,
        "after_last_norm": model.backbone.ln1,
        "after_deconv1": model.head.deconv_layers[2],
    }
    indices = {name: index_of(text) for name, text in data["slices"].items() if text.startswith("[")}
    hooks = [module.register_forward_hook(keep(k, indices[k])) for k, module in modules.items() if k in indices]
    assert len(hooks) == sum(name.startswith("after_") for name in data["slices"])
    images = np.random.RandomState(data["input"]["seed"]).standard_normal(data["input"]["shape"])
    images = torch.from_numpy(images.astype(np.float32))
    with torch.no_grad():
        features = model.extract_feat(images)
        found["feature"] = features[-1].numpy()[indices["feature"]]
        maps = model.head(features)
        [hook.remove() for hook in hooks]
        mirrored = model.head(model.extract_feat(images.flip(-1)))
    found["heatmaps"] = maps.numpy()
    for kind in ("released", "paired"):
        indices = list(range(data["num_joints"]))
        for a, b in data["flip"][f"{kind}_pairs"]:
            indices[a], indices[b] = b, a
        back = flip_heatmaps(mirrored.clone(), flip_mode="heatmap", flip_indices=indices, shift_heatmap=False)
        found[f"heatmaps_flip_{kind}"] = ((maps + back) * 0.5).numpy()
    return data, arrays, model, found


def test_features_and_heatmaps(network):
    data, arrays, _, found = network
    for name, value in found.items():
        tolerance = data["tolerance"]["heatmaps" if name.startswith("heatmaps") else "features"]
        assert value.shape == arrays[name].shape, name
        assert np.abs(value - arrays[name]).max() < tolerance, name


@pytest.mark.parametrize("kind", ["plain", "released", "paired"])
def test_points(network, kind):
    data, arrays, model, found = network
    suffix = "" if kind == "plain" else f"_flip_{kind}"
    maps = found[f"heatmaps{suffix}"][0]
    expected = arrays[f"keypoints{suffix}"]
    points, scores = model.head.decoder.decode(maps)
    box = data["decode_box"]
    scale = np.array(box["scale_px"])
    points = points[0] / model.head.decoder.input_size * scale + box["center"] - scale / 2
    stable = arrays[f"stable_{kind}"]
    assert stable.any()
    np.testing.assert_allclose(points[stable], expected[stable, :2], atol=0.2)
    np.testing.assert_allclose(scores[0], expected[:, 2], atol=data["tolerance"]["heatmaps"])
    best = np.stack(np.unravel_index(maps.reshape(len(maps), -1).argmax(-1), maps.shape[1:]), -1)[:, ::-1]
    margin = np.sort(maps.reshape(len(maps), -1), -1)
    clear = margin[:, -1] - margin[:, -2] > 2e-3
    np.testing.assert_array_equal(best[clear], arrays[f"peak_{kind}"][clear])


def test_saved_weights_load_again_as_they_are(network, tmp_path):
    _, _, model, _ = network
    torch.save({"state_dict": model.state_dict()}, tmp_path / "saved.pth")
    again = MODELS.build(config("vitpose-b_patient-21_256x192", model.head.out_channels).model)
    saved = torch.load(tmp_path / "saved.pth", weights_only=True)["state_dict"]
    load_state_dict(again, dict(saved), strict=True)
    assert all(torch.equal(value, saved[name]) for name, value in again.state_dict().items())


@pytest.mark.parametrize("data", params(NAMES, SYSTEM))
def test_names_of_every_family(data):
    """0.x, 1.x and timm names of the same weights give the same tensors."""
    old, new, timm = {}, {}, {}
    values = filled({name: entry["shape"] for name, entry in data["names"].items()})
    for name, entry in data["names"].items():
        value = values[name]
        other = value[:, 1:] + value[:, :1] if name.endswith("pos_embed") else value
        old[name] = value
        new[entry["mmpose1"]] = other
        if entry["timm"]:
            timm[entry["timm"]] = other
    joints = len(next(value for name, value in values.items() if name.endswith("final_layer.weight")))
    model = MODELS.build(config("vitpose-b_patient-21_256x192", joints).model)
    for family in (old, new):
        load_state_dict(model, dict(family), strict=True)
        state = model.state_dict()
        assert set(state) == set(new)
        assert all(torch.equal(state[name], value) for name, value in new.items())
    trunk = convert_vit(timm, model.backbone.grid)
    assert {f"backbone.{name}" for name in trunk} == {name for name in new if name.startswith("backbone.")}
    assert all(torch.equal(new[f"backbone.{name}"], value) for name, value in trunk.items())


@pytest.mark.parametrize("data", params(DECAY, SYSTEM))
def test_optimiser_groups(data):
    count = sum(name.endswith("final_layer.bias") for group in data["groups"].values() for name in group["names"])
    assert count == 1
    loaded = config("vitpose-b_patient-21_256x192", 21)
    assert loaded.optim_wrapper.optimizer.lr == data["base_lr"]
    model = MODELS.build(loaded.model)
    optimizer = build_optim_wrapper(model, loaded.optim_wrapper).optimizer
    found = {group["group_name"]: group for group in optimizer.param_groups}
    assert set(found) == set(data["groups"])
    names = {entry: key for key, entry in _new_names().items()} if NAMES else {}
    for name, expected in data["groups"].items():
        group = found[name]
        assert group["lr_scale"] == pytest.approx(expected["lr_scale"], rel=1e-12)
        assert group["lr"] == pytest.approx(expected["lr"], rel=1e-12)
        assert group["weight_decay"] == expected["weight_decay"]
        if names:
            assert {names[key] for key in group["param_names"]} == set(expected["names"])


def _new_names() -> dict[str, str]:
    return {name: entry["mmpose1"] for name, entry in NAMES[0][1]["names"].items()}


def frame(case: dict) -> np.ndarray:
    """The case's RGB frame, from its formula."""
    image = case["image"]
    y, x = np.mgrid[0 : image["height"], 0 : image["width"]]
    a, b, c = image["offsets"]

    def tri(u):
        return np.abs(u % 510 - 255)

    channels = tri(2 * x + 3 * y + a), tri(5 * x - y + b), tri(x + 4 * y + (x * y) // 64 + c)
    return np.stack(channels, -1).astype(np.uint8)


@pytest.fixture(scope="module", params=params(STAGE, SYSTEM))
def second_stage(request):
    """(case, arrays, network inputs, samples with predictions) through the registered pipeline and model."""
    path, data = request.param
    arrays = case_arrays(path, data)
    joints = arrays["keypoints"].shape[1]
    loaded = config("vitpose-b_patient-21_256x192_published", joints)
    model = MODELS.build(loaded.model).eval()
    load_state_dict(model, filled(published_shapes(joints)), strict=True)
    pipeline = Compose([TRANSFORMS.build(step) for step in loaded.val_dataloader.dataset.pipeline])
    image = np.ascontiguousarray(frame(data)[..., ::-1])
    samples = [
        pipeline(
            dict(
                img=image.copy(),
                bbox=box[None].copy(),
                bbox_score=np.ones(1, np.float32),
                flip_indices=list(range(joints)),
            )
        )
        for box in arrays["boxes_xyxy"]
    ]
    batch = model.data_preprocessor(pseudo_collate(samples), False)
    with torch.no_grad():
        predicted = model.predict(batch["inputs"], batch["data_samples"])
    return data, arrays, batch["inputs"].numpy(), predicted


def test_second_stage_inputs(second_stage):
    data, arrays, inputs, predicted = second_stage
    for k, sample in enumerate(predicted):
        centre, scale = sample.metainfo["input_center"], sample.metainfo["input_scale"]
        np.testing.assert_allclose(centre, arrays["center"][k], atol=1e-3)
        np.testing.assert_allclose(scale / 200, arrays["scale"][k], rtol=1e-5)
        warp = get_udp_warp_matrix(centre, scale, 0.0, output_size=sample.metainfo["input_size"])
        np.testing.assert_allclose(warp, arrays["warp"][k], atol=data["tolerance"]["warp"])
    np.testing.assert_allclose(inputs[:, :, ::4, ::4], arrays["input_slice"], atol=data["tolerance"]["input"])
    np.testing.assert_allclose(inputs.mean((2, 3)), arrays["input_mean"], atol=1e-3)


def test_second_stage_points(second_stage):
    data, arrays, _, predicted = second_stage
    found = np.concatenate(
        [
            np.concatenate([sample.pred_instances.keypoints, sample.pred_instances.keypoint_scores[..., None]], -1)
            for sample in predicted
        ]
    )
    clear = arrays["argmax_margin"] > 2e-3
    np.testing.assert_allclose(found[clear][:, 2], arrays["keypoints"][clear][:, 2], atol=data["tolerance"]["score"])
    stable = arrays["stable"] & clear
    assert stable.any()
    error = np.abs(found[stable][:, :2] - arrays["keypoints"][stable][:, :2])
    assert error.max() < data["tolerance"]["keypoints_px"]


@pytest.mark.parametrize("case", params(TARGETS, SYSTEM))
def test_training_targets(case):
    path, data = case
    arrays = case_arrays(path, data)
    height, width = arrays["target"].shape[-2:]
    codec = KEYPOINT_CODECS.build(
        dict(
            type="orplugins.PublishedHeatmap", input_size=(4 * width, 4 * height), heatmap_size=(width, height), sigma=2
        )
    )
    for joints, visible, target, weight in zip(
        *(arrays[name] for name in ("joints", "visible", "target", "target_weight")), strict=True
    ):
        encoded = codec.encode(joints[None], visible[None])
        np.testing.assert_allclose(encoded["keypoint_weights"][0], weight[:, 0])
        used = weight[:, 0] > 0
        np.testing.assert_allclose(encoded["heatmaps"][used], target[used], atol=data["tolerance"]["target"])


@pytest.mark.parametrize("case", params(TARGETS, SYSTEM))
def test_half_body(case):
    path, data = case
    rule, joints = data["half_body"], case_arrays(path, data)["half_body_joints"]
    transform = TRANSFORMS.build(dict(type="orplugins.PublishedHalfBody", prob=1.0, min_total_keypoints=1))
    affine = TRANSFORMS.build(dict(type="TopdownAffine", input_size=(192, 256), use_udp=True))
    assert transform.padding == rule["padding"]
    for name, outcome in rule["outcomes"].items():
        seen = []
        for seed in range(20):
            np.random.seed(seed)
            results = transform.transform(
                dict(
                    keypoints=joints[None],
                    keypoints_visible=np.array([outcome["visible"]], dtype=np.float32),
                    upper_body_ids=rule["upper_ids"],
                    lower_body_ids=rule["lower_ids"],
                    bbox_center=np.full((1, 2), -1.0),
                    bbox_scale=np.full((1, 2), -1.0),
                )
            )
            scale = affine._fix_aspect_ratio(results["bbox_scale"], 192 / 256)[0] / 200
            seen.append((*results["bbox_center"][0], *scale) if results["bbox_scale"][0, 0] > 0 else None)
        distinct = {None if s is None else tuple(np.round(s, 3)) for s in seen}
        expected = {None if p is None else tuple(np.round((*p["center"], *p["scale"]), 3)) for p in outcome["possible"]}
        assert len(distinct) == len(expected), name
        for value in expected - {None}:
            assert min(np.abs(np.subtract(value, s)).max() for s in distinct - {None}) < 2e-3, name
        assert (None in distinct) == (None in expected), name
