"""Adapters for parts of people: data sets, transforms, head, estimator, metric, backbone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")

from mmengine.config import Config  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402
from mmengine.runner import load_state_dict  # noqa: E402
from mmpose.registry import DATASETS, KEYPOINT_CODECS, METRICS, MODELS, TRANSFORMS  # noqa: E402

import orplugins  # noqa: E402, F401
from orplugins.io.video import write_image  # noqa: E402
from orplugins.skeletons import COCO_17  # noqa: E402

CONFIGS = Path(__file__).resolve().parents[2] / "configs/mmpose/partial_body"


@pytest.fixture(autouse=True)
def scope():
    init_default_scope("mmpose")


def tiny(**changes) -> dict:
    model = Config.fromfile(CONFIGS / "vitpose-t_people-states_128x96.py").model
    model.backbone.depth = 1
    model.update(changes)
    return model


def record(seed: int = 0) -> dict:
    rng = np.random.default_rng(seed)
    joints = np.stack([rng.uniform(20, 80, 17), np.linspace(10, 110, 17)], -1).astype(np.float32)
    visible = np.stack([np.ones(17), np.full(17, 2.0)], -1).astype(np.float32)
    return {
        "img": np.full((120, 100, 3), 200, np.uint8),
        "bbox": np.array([[15, 5, 85, 115]], np.float32),
        "keypoints": joints[None],
        "keypoints_visible": visible[None],
        "skeleton_links": COCO_17.limbs,
        "bbox_center": np.array([[50, 60]], np.float32),
        "bbox_scale": np.array([[90, 140]], np.float32),
    }


# transforms


def test_things_in_front_hide_visible_joints():
    appearance = TRANSFORMS.build(dict(type="orplugins.RandomAppearance", occluder_prob=1.0))
    changed = 0
    for seed in range(10):
        np.random.seed(seed)
        before = {**record(), "transformed_keypoints": record()["keypoints"]}
        before["keypoints_visible"][0, 0, 1] = 0
        out = appearance.transform({**before})
        states = out["keypoints_visible"][0, :, 1]
        assert states[0] == 0 and set(states[1:]) <= {1.0, 2.0} and (out["keypoints_visible"][..., 0] == 1).all()
        changed += int((states == 1).sum())
        assert out["img"].shape == (120, 100, 3) and (before["img"] == 200).all()
    assert changed


@pytest.mark.parametrize("seed", range(12))
def test_truncated_frame(seed):
    np.random.seed(seed)
    before = record()
    out = TRANSFORMS.build(dict(type="orplugins.RandomFrameTruncation", prob=1.0)).transform(record())
    black = (out["img"] == 0).all(-1)
    assert black.any() and not black.all()
    gone = out["keypoints_visible"][0, :, 0] == 0
    columns, rows = np.round(before["keypoints"][0]).astype(int).T
    np.testing.assert_array_equal(gone, black[rows, columns])
    assert (out["keypoints_visible"][0, gone, 1] == 0).all() and (out["keypoints_visible"][0, ~gone, 1] == 2).all()
    assert (~gone).sum() >= 3
    x1, y1, x2, y2 = out["bbox"][0]
    assert not black[int(np.ceil(y1)) : int(y2), int(np.ceil(x1)) : int(x2)].any()  # the box is that of what is left
    np.testing.assert_array_equal(out["keypoints"], before["keypoints"])


def test_truncation_leaves_people_with_too_few_joints_whole():
    results = record()
    results["keypoints_visible"][0, 3:] = (1, 1)  # only three joints are not occluded
    np.random.seed(0)
    out = TRANSFORMS.build(dict(type="orplugins.RandomFrameTruncation", prob=1.0, least=4)).transform(results)
    assert (out["img"] == 200).all() and (out["keypoints_visible"][..., 0] == 1).all()


@pytest.mark.parametrize("seed", range(8))
def test_body_crop_looks_at_a_connected_part(seed):
    np.random.seed(seed)
    out = TRANSFORMS.build(dict(type="orplugins.RandomBodyCrop", prob=1.0)).transform(record())
    low, high = out["bbox_center"][0] - out["bbox_scale"][0] / 2, out["bbox_center"][0] + out["bbox_scale"][0] / 2
    inside = ((out["keypoints"][0] >= low) & (out["keypoints"][0] <= high)).all(-1)
    assert 3 <= inside.sum() <= 17
    assert (out["bbox_scale"] > 0).all() and out["keypoints_visible"].min() == 1


def test_seeds_repeat_and_zero_probability_does_nothing():
    for kind in ("RandomBodyCrop", "RandomFrameTruncation"):
        outs = []
        for _ in range(2):
            np.random.seed(3)
            outs.append(TRANSFORMS.build(dict(type=f"orplugins.{kind}", prob=1.0)).transform(record()))
        assert all(np.array_equal(outs[0][key], outs[1][key]) for key in outs[0])
        same = TRANSFORMS.build(dict(type=f"orplugins.{kind}", prob=0.0)).transform(record())
        assert all(np.array_equal(same[key], record()[key]) for key in same)


def test_joints_outside_the_input_are_out_of_view():
    results = {**record(), "input_size": (96, 128)}
    results["transformed_keypoints"] = results["keypoints"].copy()
    results["transformed_keypoints"][0, :2] = [(-1, 5), (95.6, 5)]
    results["keypoints_visible"][0, 1] = (0, -1)  # nobody knows
    out = TRANSFORMS.build(dict(type="orplugins.MarkOutOfView")).transform(results)["keypoints_visible"][0]
    assert out[0].tolist() == [0, 0] and out[1].tolist() == [0, -1] and (out[2:] == (1, 2)).all()


def test_pictures_are_decoded_once_while_there_is_room(tmp_path):
    pictures = [
        write_image(tmp_path / f"{k}.png", np.full((20, 30, 3), k, np.uint8)) or tmp_path / f"{k}.png" for k in (1, 2)
    ]
    load = TRANSFORMS.build(dict(type="orplugins.LoadImageOnce", most_megabytes=20 * 30 * 3 / 2**20))
    first = [load({"img_path": str(path)}) for path in pictures]
    for path in pictures:
        path.unlink()
    again = load({"img_path": str(pictures[0])})
    assert again["img"] is first[0]["img"] and again["ori_shape"] == (20, 30) and not again["img"].flags.writeable
    with pytest.raises(FileNotFoundError):
        load({"img_path": str(pictures[1])})


# decoding


def test_decodings_at_the_border():
    """Map pixels by which a peak is misplaced, by its distance from the border: docs/partial_body/differences.md."""
    stock, published = (
        KEYPOINT_CODECS.build(dict(type=kind, input_size=(192, 256), heatmap_size=(48, 64), sigma=2))
        for kind in ("UDPHeatmap", "orplugins.PublishedHeatmap")
    )
    columns, rows = np.arange(48), np.arange(64)[:, None]
    errors = []
    for place in np.arange(0, 12.01, 0.2):
        heat = np.exp(-((columns - place) ** 2 + (rows - 30) ** 2) / 8).astype(np.float32)[None]
        errors.append([codec.decode(heat.copy())[0][0, 0, 0] * 47 / 192 - place for codec in (published, stock)])
    errors = np.array(errors)
    assert errors.min(0) == pytest.approx([-1.35, -0.90], abs=0.01)
    assert errors.max(0) == pytest.approx([0.00, 0.77], abs=0.01)
    assert np.abs(errors[25:]).max() < 0.02  # five pixels inside and more


@pytest.mark.parametrize("size", [(24, 32), (48, 64)])
def test_batched_decoding_is_the_hosts(size):
    rng = np.random.default_rng(0)
    args = dict(input_size=(4 * size[0], 4 * size[1]), heatmap_size=size, sigma=2)
    stock, batched = (
        KEYPOINT_CODECS.build(dict(type=kind, **args)) for kind in ("UDPHeatmap", "orplugins.BatchedHeatmap")
    )
    columns, rows = np.arange(size[0]), np.arange(size[1])[:, None]
    x, y = rng.uniform(-1, size[0], (5, 17, 1, 1)), rng.uniform(-1, size[1], (5, 17, 1, 1))
    maps = rng.uniform(0.01, 1.2, x.shape) * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8)
    maps = maps.astype(np.float32)
    keypoints, scores = batched.batch_decode(torch.from_numpy(maps))
    one_by_one = [stock.decode(each) for each in maps]
    np.testing.assert_allclose(keypoints, np.stack([k for k, _ in one_by_one]), atol=2e-3)
    np.testing.assert_array_equal(scores, np.stack([s for _, s in one_by_one]))
    maps[2, 3] = 0  # the host makes NaN of an empty map
    assert np.isfinite(batched.batch_decode(torch.from_numpy(maps))[0]).all()
    with pytest.raises(ValueError, match="heatmap_type is 'combined', expected 'gaussian'"):
        KEYPOINT_CODECS.build(dict(type="orplugins.BatchedHeatmap", heatmap_type="combined", **args))


# data sets


def write_set(path: Path, joints: int = 17) -> Path:
    v = [k % 3 for k in range(joints)]
    keypoints = [value for k in range(joints) for value in (10 + k if v[k] else 0, 20 + k if v[k] else 0, v[k])]
    path.write_text(
        json.dumps(
            {
                "images": [{"id": 1, "file_name": "a.png", "width": 100, "height": 100}],
                "annotations": [
                    {
                        "id": 1,
                        "image_id": 1,
                        "category_id": 1,
                        "bbox": [5, 5, 60, 80],
                        "area": 4800,
                        "iscrowd": 0,
                        "keypoints": keypoints,
                        "num_keypoints": sum(map(bool, v)),
                    }
                ],
                "categories": [{"id": 1, "name": "person"}],
            }
        )
    )
    return path


@pytest.mark.parametrize(("unlabelled", "zero"), [("unknown", -1), ("out of view", 0)])
def test_states_of_training_records(tmp_path, unlabelled, zero):
    ann = write_set(tmp_path / "a.json")
    data = DATASETS.build(dict(type="orplugins.PartialBodyDataset", ann_file=str(ann), unlabelled=unlabelled))
    visible = data[0]["keypoints_visible"][0]
    assert visible[:3].tolist() == [[0, zero], [1, 1], [1, 2]]
    test = DATASETS.build(dict(type="orplugins.PartialBodyDataset", ann_file=str(ann), test_mode=True))
    assert test[0]["keypoints_visible"].shape == (1, 17)


def test_data_of_another_joint_set_is_refused(tmp_path):
    ann = write_set(tmp_path / "a.json")
    with pytest.raises(ValueError, match=r"annotations\[0\]: 'keypoints' has 51 numbers, expected 66 .*for patient_22"):
        DATASETS.build(dict(type="orplugins.Patient22Dataset", ann_file=str(ann)))
    with pytest.raises(ValueError, match="expected 'unknown' or 'out of view'"):
        DATASETS.build(dict(type="orplugins.PartialBodyDataset", ann_file=str(ann), unlabelled="zero"))


# estimator


def test_another_number_of_joints_is_refused_by_name_or_started_anew():
    torch.manual_seed(0)
    weights = MODELS.build(tiny()).state_dict()
    for name in ("head.final_layer.weight", "head.final_layer.bias"):
        weights[name] = weights[name].repeat(2, *[1] * (weights[name].ndim - 1))[:22]
    model = MODELS.build(tiny())
    before = model.head.final_layer.weight.clone()
    with pytest.raises(ValueError, match=r"(?s)head.final_layer.weight: \(22, .*for 22 keypoints, the model for 17"):
        load_state_dict(model, dict(weights))
    fresh = MODELS.build(tiny(fresh=["head.final_layer."]))
    before = fresh.head.final_layer.weight.clone()
    load_state_dict(fresh, dict(weights))
    assert torch.equal(fresh.head.final_layer.weight, before)
    assert torch.equal(fresh.backbone.ln1.weight, weights["backbone.ln1.weight"])


def test_missing_and_left_over_tensors_are_refused():
    weights = MODELS.build(tiny()).state_dict()
    weights.pop("backbone.layers.0.ln1.weight")
    weights["head.other.weight"] = torch.zeros(1)
    with pytest.raises(ValueError, match=r"(?s)layers.0.ln1.weight: missing.*head.other.weight: the model has no such"):
        load_state_dict(MODELS.build(tiny()), weights)


@pytest.mark.parametrize("container", ["state_dict", "model", "module"])
def test_containers_and_parallel_prefixes(container):
    weights = MODELS.build(tiny()).state_dict()
    wrapped = {container: {f"module.{name}": value for name, value in weights.items()}}
    model = MODELS.build(tiny())
    load_state_dict(model, wrapped)
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


# backbone


def test_pretrained_backbone_of_timm_and_gradient_checkpointing(tmp_path):
    import timm

    torch.manual_seed(0)
    theirs = timm.create_model("vit_tiny_patch16_224", num_classes=3, drop_path_rate=0.0).eval()
    torch.save({"model": theirs.state_dict()}, tmp_path / "timm.pth")
    init = dict(type="Pretrained", checkpoint=str(tmp_path / "timm.pth"))
    ours = MODELS.build(
        dict(type="orplugins.ViT", arch="tiny", image_size=(224, 224), padding=0, drop_path=0.0, init_cfg=init)
    )
    ours.init_weights()
    assert torch.equal(ours.layers[3].attn.qkv.weight, theirs.blocks[3].attn.qkv.weight)
    assert torch.equal(ours.pos_embed, theirs.pos_embed[:, 1:])
    image = torch.randn(1, 3, 64, 48)
    plain = ours.train()(image)[0]
    plain.sum().backward()
    gradient = ours.layers[0].attn.qkv.weight.grad.clone()
    ours.zero_grad()
    ours.checkpointing = True
    ours(image)[0].sum().backward()
    torch.testing.assert_close(ours.layers[0].attn.qkv.weight.grad, gradient)
    bad = MODELS.build(dict(type="orplugins.ViT", arch="small", init_cfg=init))
    with pytest.raises(ValueError, match=r"(?s)does not fit the ViT backbone:.*\(192, .* in the file, \(384, .*more$"):
        bad.init_weights()


# head and metric


def test_states_follow_left_and_right_in_the_flip_test():
    torch.manual_seed(0)
    model = MODELS.build(tiny()).eval()
    features, mirrored = (torch.randn(1, 192, 8, 6),), (torch.randn(1, 192, 8, 6),)
    flip = list(COCO_17.flip_indices)

    class Sample:
        metainfo = {"flip_indices": flip}

    with torch.no_grad():
        plain, other = (model.head.states(f[0], model.head(f)).softmax(-1) for f in (features, mirrored))
        (found,) = model.head.predict([features, mirrored], [Sample()], test_cfg=dict(flip_test=True))
        (single,) = model.head.predict(features, [Sample()])
    expected = (plain + other[:, flip]) / 2
    torch.testing.assert_close(torch.from_numpy(single.keypoint_states), plain)
    torch.testing.assert_close(torch.from_numpy(found.keypoint_states), expected)
    np.testing.assert_allclose(found.keypoint_states.sum(-1), 1, atol=1e-5)


def test_unknown_states_teach_nothing():
    torch.manual_seed(0)
    from mmengine.structures import InstanceData, PixelData
    from mmpose.structures import PoseDataSample

    model = MODELS.build(tiny())
    sample = PoseDataSample()
    sample.gt_fields = PixelData(heatmaps=torch.zeros(17, 32, 24))
    labels = torch.full((1, 17), -1)
    sample.gt_instance_labels = InstanceData(keypoint_weights=torch.zeros(1, 17), keypoint_states=labels)
    features = (torch.randn(1, 192, 8, 6, requires_grad=True),)
    assert model.head.loss(features, [sample])["loss_state"] == 0
    labels[0, 4] = 2
    assert model.head.loss(features, [sample])["loss_state"] > 0


def test_state_metric():
    metric = METRICS.build(dict(type="orplugins.JointStateMetric"))
    v = [0, 1, 2, 2]
    raw = {"keypoints": [x for k in v for x in (5, 5, k)]}
    states = np.eye(3)[[0, 2, 2, 1]][None]
    sample = {
        "pred_instances": {
            "keypoints": np.full((1, 4, 2), 5.0),
            "keypoint_scores": np.ones((1, 4)),
            "bboxes": np.array([[0, 0, 9, 9]]),
            "keypoint_states": states,
        },
        "ori_shape": (20, 30),
        "raw_ann_info": raw,
    }
    metric.process(None, [sample])
    found = metric.evaluate(1)
    assert found["state/accuracy"] == 50 and found["state/balanced"] == pytest.approx(50)
    assert found["state/visible as occluded"] == 50 and found["state/occluded as visible"] == 100
    metric = METRICS.build(dict(type="orplugins.JointStateMetric", unlabelled="unknown"))
    metric.process(None, [sample])
    assert metric.evaluate(1)["state/accuracy"] == pytest.approx(100 / 3)


# files of other tools, and joints of one's own


def test_annotations_are_completed_for_set_and_metric(tmp_path):
    path = write_set(tmp_path / "a.json")
    content = json.loads(path.read_text())
    for key in ("area", "iscrowd", "num_keypoints"):
        content["annotations"][0].pop(key)
    box = {"id": 2, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}
    content["annotations"].append(box)
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(content).encode())
    data = DATASETS.build(dict(type="orplugins.PartialBodyDataset", ann_file=str(path), test_mode=True))
    assert len(data) == 1 and data[0]["raw_ann_info"]["num_keypoints"] == 11 and data.ann_file == str(path)
    metric = METRICS.build(dict(type="orplugins.PeopleCocoMetric", ann_file=str(path)))
    assert metric.coco.anns[1]["iscrowd"] == 0 and metric.coco.anns[2]["keypoints"] == [0] * 51
    content["annotations"] = [box]
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="has no person with keypoints"):
        DATASETS.build(dict(type="orplugins.PartialBodyDataset", ann_file=str(path)))


def test_own_joints_by_metainfo(tmp_path):
    names = ["head", "left_wrist", "right_wrist"]
    swaps = ["", "right_wrist", "left_wrist"]
    info = {
        "dataset_name": "theatre3",
        "keypoint_info": {
            k: {"name": n, "id": k, "color": [0, 0, 0], "type": "upper", "swap": s}
            for k, (n, s) in enumerate(zip(names, swaps, strict=True))
        },
        "skeleton_info": {},
        "joint_weights": [1.0] * 3,
        "sigmas": [0.05] * 3,
    }
    (tmp_path / "theatre3.py").write_text(f"dataset_info = {info!r}\n")
    path = write_set(tmp_path / "a.json", joints=3)
    data = DATASETS.build(
        dict(
            type="orplugins.PartialBodyDataset",
            ann_file=str(path),
            metainfo=dict(from_file=str(tmp_path / "theatre3.py")),
        )
    )
    assert data[0]["keypoints"].shape == (1, 3, 2) and data.metainfo["dataset_name"] == "theatre3"
    with pytest.raises(ValueError, match="has 9 numbers, expected 51"):
        DATASETS.build(dict(type="orplugins.PartialBodyDataset", ann_file=str(path)))
