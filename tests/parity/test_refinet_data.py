"""What the published ITOP loader yields, split by split, from files in ITOP's layout; and the metrics."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from cases import case_arrays, params, parity_cases

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")
pytest.importorskip("h5py")

from mmengine.config import Config  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402
from mmpose.registry import DATASETS, METRICS  # noqa: E402

from orplugins.refinet.checks import checked_metres  # noqa: E402
from orplugins.refinet.depth_camera import ITOP_CAMERA  # noqa: E402
from orplugins.refinet.itop import write_itop  # noqa: E402
from orplugins.refinet.noise import fixed_noise  # noqa: E402
from orplugins.refinet.pose_files import save_itop_poses  # noqa: E402

SYSTEM = "refinet"
CONFIGS = Path(__file__).resolve().parents[2] / "configs/mmpose/refinet"
FILES = parity_cases(SYSTEM)
DATA = params([(name, (path, data)) for name, path, data in FILES if "kept" in data], SYSTEM)
METRIC_CASES = params([
    (f"{name}/{flavour}", (path, data, flavour))
    for name, path, data in FILES for flavour in data.get("results", {}) if "gt_mm" in data.get("arrays", {})
    and isinstance(data["results"][flavour], dict)
], SYSTEM)  # fmt: skip
MODULES = {"depth": "a", "base": "b", "pcloud": "c"}


@pytest.fixture(scope="module", params=DATA)
def files(request, tmp_path_factory):
    """(case, arrays, data root) with the case's frames as HDF5 and its 2D predictions as published pickles."""
    init_default_scope("mmpose")
    path, data = request.param
    z, root = case_arrays(path, data), tmp_path_factory.mktemp("itop")
    for file in ("train", "test"):
        labels = {
            key: z[f"{file}_{key}"]
            for key in ("is_valid", "visible_joints", "image_coordinates", "real_world_coordinates")
        }
        write_itop(
            root, data.get("side", "side"), file, {"id": data[f"{file}_ids"], **labels}, iter(z[f"{file}_depth"])
        )
        poses = z[f"{file}_baseline_px"]
        save_itop_poses(root / f"{file}.npz", np.arange(len(poses)), poses)
    return data, z, root


def dataset(root: Path, split: str, kind: str, source: str, case: dict):
    """The config's data set and pipeline; validation's with the split's own generator where labels are the source."""
    config = Config.fromfile(CONFIGS / f"refinet-{MODULES[kind]}_itop-{case.get('side', 'side')}.py")
    options = dict(config[f"{split}_dataloader"].dataset)
    if source == "gt" and split == "test":
        options = dict(config.val_dataloader.dataset, split="test")
    if source == "pred":
        options["pipeline"] = config.test_dataloader.dataset.pipeline
    for step in options["pipeline"]:
        if step.get("draw") == "fixed":
            step["seed"] = {"test": 37, "val": 1295185}[split]
    options.pop("keypoint_format", None)
    file = root / ("test.npz" if split == "test" else "train.npz")
    if split == "train":
        np.random.seed(case["noise_seed_train"])
    return DATASETS.build({**options, "data_root": f"{root}/", "keypoint_file": str(file)})


def read(items) -> dict[str, np.ndarray]:
    """What the published loader returns of each item."""
    labels = [item["data_samples"].gt_instance_labels for item in items]
    found = {
        "kpts": [x.input_pose[0] for x in labels],
        "gt": [x.keypoint_labels[0] for x in labels],
        "visible": [x.keypoint_weights[0] for x in labels],
    }
    return {key: torch.stack(value).numpy() for key, value in found.items()} | {
        "input": np.stack([item["inputs"].numpy() for item in items])
    }


def test_every_split_type_and_source(files):
    data, z, root = files
    for name, ids in data["kept"].items():
        split, kind, source = name.split("_")
        frames = dataset(root, split, kind, source, data)
        items = [frames[i] for i in range(len(frames))]
        assert [item["data_samples"].metainfo["frame_id"] for item in items] == ids, name
        found = read(items)
        for key in ("kpts", "gt", "visible"):
            np.testing.assert_allclose(found[key], z[f"{name}_{key}"], rtol=0, atol=data["atol"], err_msg=name + key)
        inputs = found["input"]
        if kind == "base":
            np.testing.assert_allclose(inputs, z[f"{name}_input"], rtol=0, atol=1e-4, err_msg=name)
        elif kind == "depth":
            stats = np.stack([inputs.mean((2, 3), dtype=np.float64), inputs.std((2, 3), dtype=np.float64)], -1)
            np.testing.assert_allclose(stats, z[f"{name}_patch_stats"], rtol=0, atol=1e-4, err_msg=name)
        else:
            stats = np.stack([inputs[:, :, -1, 0], np.abs(inputs[:, :, :-1]).mean((2, 3))], -1)
            np.testing.assert_allclose(stats, z[f"{name}_cloud_stats"], rtol=0, atol=1e-3, err_msg=name)


def test_pixel_noise_below_ten_in_module_b(files):
    data, z, root = files
    config = Config.fromfile(CONFIGS / f"refinet-b_itop-{data.get('side', 'side')}.py")
    options = dict(config.val_dataloader.dataset, split="test", data_root=f"{root}/")
    steps = [s for s in options["pipeline"] if s.type != "orplugins.AddPoseNoise"]
    lift = steps[1]
    noise = dict(type="orplugins.AddPoseNoise", sigma=5, unit="px", draw="fixed", seed=37, dims=3)
    encode = dict(type="orplugins.EncodeOffsets", encoder=dict(type="orplugins.JointOffset"))
    options["pipeline"] = [*steps[:2], noise, lift, steps[2], encode, steps[-1]]
    found = read([DATASETS.build(options)[i] for i in range(len(z["test_base_gt_sigma5_offset_kpts"]))])
    for key in ("kpts", "gt"):
        expected = z[f"test_base_gt_sigma5_offset_{key}"]
        np.testing.assert_allclose(found[key], expected, rtol=0, atol=data["atol"])


def test_fixed_noise_is_one_draw_a_frame_in_order():
    generator = np.random.RandomState(37)
    draws = [generator.normal(0, 50, (15, 3)) for _ in range(70)]
    for index in (0, 69, 1):
        np.testing.assert_array_equal(fixed_noise(index, 37, 0, 50, 3), draws[index])


def samples(z: dict, flavour: str) -> list[dict]:
    """Data samples as mmengine hands them to a metric."""
    frames = []
    if flavour.startswith("2d"):
        for pose, label, depth in zip(z["pred_px"], z["gt_px"], z["depth_2d"], strict=True):
            frames.append(
                {
                    "pred": {"keypoints": pose[None]},
                    "px": label,
                    "mm": np.zeros((len(label), 3), np.float32),
                    "visible": np.ones(len(label)),
                    "depth_mm": checked_metres(depth),
                }
            )
    else:
        rwc, every = flavour.startswith("rwc"), flavour.startswith("3d_all")
        predicted, target = (z[f"{part}_{'rwc' if rwc else 'mm'}"] for part in ("pred", "gt"))
        if rwc:
            predicted, target = (ITOP_CAMERA.back_project(a[..., :2], a[..., 2]) for a in (predicted, target))
        visible = np.ones(z["visible"].shape) if every else z["visible_rwc" if rwc else "visible"]
        for pose, label, seen in zip(predicted, target, visible, strict=True):
            frames.append(
                {"pred": {"keypoints_3d": pose[None]}, "px": np.zeros((len(label), 2)), "mm": label, "visible": seen}
            )
    return [
        {
            "row": row,
            "camera": ITOP_CAMERA,
            "pred_instances": frame["pred"],
            "depth_mm": frame.get("depth_mm"),
            "gt_instances": {
                "keypoints": frame["px"][None],
                "keypoints_3d": frame["mm"][None],
                "keypoints_visible": frame["visible"][None],
                "keypoints_seen": frame["visible"][None],
            },
            "gt_instance_labels": {"input_pose": next(iter(frame["pred"].values()))},
        }
        for row, frame in enumerate(frames)
    ]


@pytest.mark.parametrize("case", METRIC_CASES)
def test_metrics(case):
    path, data, flavour = case
    z, expected = case_arrays(path, data), data["results"][flavour]
    sigmas = 0.107
    if "sigmas" in flavour:
        from orplugins.refinet.metrics import ITOP_SIGMAS as sigmas  # noqa: N811
    distance = METRICS.build(dict(type="orplugins.JointDistance", thresholds=(100, 50), table=False))
    oks = METRICS.build(dict(type="orplugins.RefineOKS", sigmas=sigmas))
    for metric in (distance, oks):
        metric.process(None, samples(z, flavour))
    found = distance.compute_metrics(distance.results)
    for half, (ours, threshold) in itertools.product(("", "_upper", "_lower"), (("10", "100"), ("5", "50"))):
        assert found[f"acc@{ours}cm{half}"] == pytest.approx(expected[f"acc_{threshold}mm{half}"], abs=1e-9)
    assert found["mde_cm"] == pytest.approx(expected["mde_cm"], abs=1e-4)
    scores = oks.compute_metrics(oks.results)
    assert scores["mAP"] == pytest.approx(expected["oks_map"], abs=1e-9)
    assert scores["AP50"] == pytest.approx(expected["oks_ap"][0]) and scores["AP75"] == pytest.approx(
        expected["oks_ap"][5]
    )
    names = [key for key in scores if key not in ("mAP", "AP50", "AP75")]
    np.testing.assert_allclose([scores[name] for name in names], expected["oks_joint"], atol=1e-9)


@pytest.mark.parametrize(
    "case",
    params(
        [(name, (path, data)) for name, path, data in FILES if "extension_per_joint_3d_visible_mask" in data], SYSTEM
    ),
)
def test_joint_by_joint(case):
    from orplugins.refinet.metrics import joint_distances, refinet_oks

    path, data = case
    z, expected = case_arrays(path, data), data["extension_per_joint_3d_visible_mask"]
    found = joint_distances(z["pred_mm"], z["gt_mm"], z["visible"], decimals=3)
    joints = range(data["joints"])
    np.testing.assert_allclose([found.accuracy(100, (j,)) for j in joints], expected["acc_100mm"], atol=1e-9)
    np.testing.assert_allclose([found.mean_cm((j,)) for j in joints], expected["mde_cm"], atol=1e-4)
    for part, joints_of in (("", None), ("_upper", tuple(range(8))), ("_lower", tuple(range(8, 15)))):
        assert found.count(joints_of) == data["results"]["3d_visible_mask"][f"count{part}"]
    oks = refinet_oks(ITOP_CAMERA.project(z["pred_mm"]), ITOP_CAMERA.project(z["gt_mm"]))
    for key, values in (("oks_ap", oks.ap), ("oks_joint50", oks.joint50), ("oks_joint75", oks.joint75)):
        np.testing.assert_allclose(values, data["results"]["3d_visible_mask"][key], atol=1e-9)
