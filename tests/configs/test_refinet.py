"""Every RefiNet config parses, builds, trains one step and evaluates on generated people."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")
pytest.importorskip("h5py")

from mmengine.config import Config  # noqa: E402
from mmengine.dataset import pseudo_collate  # noqa: E402
from mmengine.evaluator import Evaluator  # noqa: E402
from mmengine.optim import build_optim_wrapper  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402
from mmpose.registry import DATASETS, MODELS  # noqa: E402

from orplugins.depth.png import save_depth  # noqa: E402
from orplugins.refinet.itop import itop_path, load_itop_labels  # noqa: E402
from orplugins.refinet.pose_files import save_itop_poses  # noqa: E402
from orplugins.synthetic.export.itop_files import write_itop  # noqa: E402
from orplugins.synthetic.render.frames import render_frames  # noqa: E402

ROOT = Path(__file__).resolve().parents[2] / "configs/mmpose/refinet"
PARAMETERS = {"refinet-a": 827806, "refinet-b": 4301869, "refinet-c": 2935244, "refinet": 8064919}
# Channels of the full-size point network that make a training step quick; rows stay.
NARROW = dict(widths=(8, 8, 16), hidden=(8, 8), head=8)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Generated people as both of ITOP's views, poses of every row, and a tiny Baracca."""
    root = tmp_path_factory.mktemp("refinet")
    write_itop(root, 20, seed=4, views=("side",), everyone=True)
    for path in sorted((root / "ITOP").glob("ITOP_side_*")):
        path.with_name(path.name.replace("side", "top")).symlink_to(path)
    for file in ("train", "test"):
        labels = load_itop_labels(itop_path(root, "side", file, "labels"))
        save_itop_poses(root / f"{file}_px.npz", np.arange(len(labels.ids)), labels.pixels + 2.5)
        save_itop_poses(root / f"{file}_mm.npz", np.arange(len(labels.ids)), labels.points_mm + 30)
    (root / "viewpoints.json").write_text(json.dumps({"0": {"orientation": [0]}, "1": {"orientation": [90]}}))
    for view in range(2):
        frame = render_frames(4, 50 + view, views=1)[1][0]
        depth = np.rot90(frame.depth_mm) if view else frame.depth_mm
        save_depth(root / f"001/{view:03d}/imgDepth_001_{view:03d}_000.png", np.ascontiguousarray(depth))
    np.savez(root / "baracca.npz", np.random.default_rng(0).uniform(50, 400, (2, 15, 3)))
    return root


def at(options: dict, data: Path):
    """The config's data set on the generated files."""
    options = dict(options, data_root=f"{data}/")
    if options["type"] == "orplugins.BaraccaDataset":
        return DATASETS.build(options | dict(keypoint_file=str(data / "baracca.npz"), subjects=1, views=2, frames=1))
    if options.get("keypoint_file"):
        file = "test" if options["split"] == "test" else "train"
        options["keypoint_file"] = str(data / f"{file}_{options.get('keypoint_format', 'px')}.npz")
    return DATASETS.build(options)


@pytest.fixture(params=sorted(ROOT.glob("*.py")), ids=lambda path: path.stem)
def config(request, data, tmp_path):
    init_default_scope("mmpose")
    config = Config.fromfile(request.param)
    for name in ("val_evaluator", "test_evaluator"):
        for metric in config.get(name) or []:
            if "out_file" in metric:
                metric.out_file = str(tmp_path / Path(metric.out_file).name)
    config.stem, config.out = request.param.stem, str(tmp_path)
    return config


def narrow(model: dict) -> dict:
    for part in ("backbone", "point_net"):
        net = model.get(part) or {}
        if net.get("type") == "orplugins.RefiNetPointNet" and "widths" not in net:
            net.update(NARROW)
    return model


def evaluate(model, dataset, evaluator) -> dict:
    metric = Evaluator(evaluator)
    metric.dataset_meta = dataset.metainfo
    model.eval()
    count = min(len(dataset), 4)
    for k in range(count):
        with torch.no_grad():
            metric.process(data_samples=model.test_step(pseudo_collate([dataset[k]])))
    return metric.evaluate(count)


def test_config(config, data):
    if not config.stem.endswith("_or"):
        model = MODELS.build(config.model)
        assert sum(p.numel() for p in model.parameters()) == PARAMETERS[config.stem.split("_")[0]]
    torch.manual_seed(0)
    np.random.seed(0)
    model = MODELS.build(narrow(config.model))
    model.init_weights()
    if config.get("train_dataloader") and "pipeline" in config.train_dataloader.dataset:
        train = at(config.train_dataloader.dataset, data)
        assert len(train) >= 4
        before = {name: value.clone() for name, value in model.state_dict().items()}
        batch = pseudo_collate([train[k] for k in range(4)])
        losses = model.train().train_step(batch, build_optim_wrapper(model, config.optim_wrapper))
        assert "loss_mse" in losses and all(torch.isfinite(value).all() for value in losses.values())
        assert any(not torch.equal(value, before[name]) for name, value in model.state_dict().items())
        result = evaluate(model, at(config.val_dataloader.dataset, data), config.val_evaluator)
        assert result["itop/mde_cm"] > 0
    dataset = at(config.test_dataloader.dataset, data)
    result = evaluate(model, dataset, config.test_evaluator)
    if "baracca" in config.stem:
        assert result == {"dump/frames": 2.0}
        with np.load(next(Path(config.out).glob("*.npz"))) as dumped:
            assert dumped["poses"].shape == (2, 15, 3) and np.isfinite(dumped["poses"]).all()
        return
    assert 0 <= result["itop/acc@10cm"] <= 1 and result["itop/input/mde_cm"] > 0
    if config.stem in ("refinet-a_or", "refinet_or"):
        assert 3 < result["itop/input/px"] < 7 and result["itop/px"] != result["itop/input/px"]  # noise of 4 px a side
    if config.model.type == "orplugins.DepthPoseRefiner":
        stages = {"refinet-lift-b_or": {"b"}, "refinet-lift-bc_or": {"b", "c"}}.get(config.stem, {"a", "b", "c"})
        assert {f"itop/{stage}/mde_cm" for stage in stages} <= result.keys()
