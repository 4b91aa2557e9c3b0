"""Every DepthPose config parses, builds, and trains one step and evaluates on generated data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")

from mmengine.config import Config  # noqa: E402
from mmengine.dataset import pseudo_collate  # noqa: E402
from mmengine.evaluator import Evaluator  # noqa: E402
from mmengine.optim import build_optim_wrapper  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402
from mmpose.registry import DATASETS, MODELS  # noqa: E402

from orplugins.depth.image import depth_to_8bit, downsample  # noqa: E402
from orplugins.depth.png import load_depth, save_depth  # noqa: E402
from orplugins.synthetic.export.mvor_layout import write_dataset  # noqa: E402

ROOT = Path(__file__).resolve().parents[2] / "configs/mmpose/depthpose"
CONFIGS = sorted(ROOT.rglob("*.py"))
LOW = {"LR_x8/": (80, 60), "LR_x10/": (64, 48)}
# Widths that make a training step of the full-size networks quick; the sizes of pictures and maps stay.
NARROW_TRUNK = dict(sr_hidden=(4,), sr_last_hidden=(4,), sr_channels=4, skip_channels=4,
                    blocks=((4,), (4,), (4,), (8,)))  # fmt: skip
NARROW_STAGES = dict(num_features=8, num_stages=2, first_width=8, first_hidden=8, width=8, kernel=3, depth=1)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Four frames of 640x480 in every form that the configs read."""
    out = tmp_path_factory.mktemp("mvor")
    write_dataset(out, 4, seed=5, size=(640, 480), people=(1, 3))
    for path in sorted(out.glob("day*/**/*.png")):
        depth = depth_to_8bit(load_depth(path))
        for folder, size in LOW.items():
            low = out / folder / path.relative_to(out)
            low.parent.mkdir(parents=True, exist_ok=True)
            save_depth(low, downsample(depth, size=size, holes="valid"))
    return out


@pytest.fixture(params=CONFIGS, ids=lambda path: path.stem)
def config(request):
    init_default_scope("mmpose")
    return Config.fromfile(request.param)


def at(dataset: dict, data: Path, ann_file: str):
    """The config's data set, or each of several, with its own pipeline and image folder, on the generated data."""
    place = {"data_root": f"{data}/", "ann_file": f"annotations/{ann_file}"}
    if "datasets" in dataset:
        return DATASETS.build({**dataset, "datasets": [{**part, **place} for part in dataset["datasets"]]})
    return DATASETS.build({**dataset, **place})


def narrow(model: dict) -> dict:
    """The same model with few channels; small ones stay as they are."""
    if "blocks" in model.backbone:
        return model
    steps = model.backbone.get("sr_steps", 3)
    context = NARROW_STAGES["num_features"] + max(steps - 1, 0) * NARROW_TRUNK["skip_channels"]
    model.backbone.update(NARROW_TRUNK)
    model.head.update(NARROW_STAGES, context_channels=context)
    if model.head.get("reconstruction"):
        model.head.reconstruction.in_channels = NARROW_TRUNK["sr_channels"]
    return model


def evaluate(model, dataset, evaluator: dict, data: Path) -> dict:
    metric = Evaluator({**evaluator, "ann_file": str(data / "annotations/mvor.json")})
    metric.dataset_meta = dataset.metainfo
    model.eval()
    for k in range(len(dataset)):
        with torch.no_grad():
            metric.process(data_samples=model.test_step(pseudo_collate([dataset[k]])))
    return metric.evaluate(len(dataset))


def test_the_model_as_it_is(config):
    model = MODELS.build(config.model)
    if "blocks" not in config.model.backbone and config.model.backbone.get("sr_steps", 3):
        published = (p for name, p in model.named_parameters() if not name.startswith("head.reconstruction."))
        assert sum(p.numel() for p in published) == 39003204
    sizes = {tuple(step.size) for step in config.test_pipeline if step.type == "orplugins.DepthToInput"}
    assert sizes == {tuple(model.head.decoder.input_size)}


def test_one_step_and_one_evaluation(config, data):
    torch.manual_seed(0)
    np.random.seed(0)
    model = MODELS.build(narrow(config.model))
    model.init_weights()
    train = at(config.train_dataloader.dataset, data, "coco17.json")
    batch = pseudo_collate([train[k] for k in range(min(2, len(train)))])
    before = {name: value.clone() for name, value in model.state_dict().items()}
    losses = model.train().train_step(batch, build_optim_wrapper(model, config.optim_wrapper))
    assert {"loss", "loss_heatmap", "loss_paf"} <= losses.keys()
    assert all(torch.isfinite(value).all() for value in losses.values())
    assert any(not torch.equal(value, before[name]) for name, value in model.state_dict().items())
    for kind in ("val", "test"):
        dataset = at(config[f"{kind}_dataloader"].dataset, data, "mvor.json")
        assert len(dataset) == 4
        result = evaluate(model, dataset, config[f"{kind}_evaluator"], data)
        assert 0 <= result["PCK/Average"] <= 100
