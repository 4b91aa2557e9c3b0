"""Every lifting config parses, builds, does one training step and one evaluation on generated motion."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")

from mmengine.config import Config  # noqa: E402
from mmengine.dataset import pseudo_collate  # noqa: E402
from mmengine.evaluator import Evaluator  # noqa: E402
from mmengine.optim import build_optim_wrapper  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402
from mmpose.registry import DATASETS, HOOKS, MODELS  # noqa: E402

from orplugins.synthetic.motion_points import write_lifting_data  # noqa: E402

FOLDER = Path(__file__).resolve().parents[2] / "configs/mmpose/videopose3d"
CONFIGS = sorted(FOLDER.glob("*.py"))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("motion")
    write_lifting_data(folder, ["S1", "S2", "V1"], frames=30)
    return str(folder)


def at(dataset, data: str, subjects=None):
    """The config's own data set on the generated files."""
    if "datasets" in dataset:
        for part, name in zip(dataset.datasets, ("S1", "S2"), strict=True):
            part.update(data_root=data, subjects=[name])
        return DATASETS.build(dataset)
    dataset.update(data_root=data, subjects=subjects or dataset.subjects)
    return DATASETS.build(dataset)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_one_step_and_one_evaluation(path, data):
    init_default_scope("mmpose")
    config = Config.fromfile(path)
    for hook in config.custom_hooks:
        if hook.type.startswith("orplugins."):
            HOOKS.build(dict(hook))
    for part in ("backbone", "traj_backbone"):
        if part in config.model:
            config.model[part].stem_channels = 16
    for part in ("head", "traj_head"):
        if part in config.model:
            config.model[part].in_channels = 16
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    model.init_weights()
    train = at(config.train_dataloader.dataset, data, ["S1"])
    batch = pseudo_collate([train[0], train[1], train[len(train) - 1]])
    model.train()
    losses = model.train_step(batch, build_optim_wrapper(model, config.optim_wrapper))
    assert torch.isfinite(losses["loss"]) and "loss_pose3d" in losses
    model.eval()
    for kind in ("val", "test"):
        dataset = at(config[f"{kind}_dataloader"].dataset, data)
        metric = Evaluator(config[f"{kind}_evaluator"])
        metric.dataset_meta = dataset.metainfo
        for k in (0, 1):
            with torch.no_grad():
                metric.process(data_samples=model.test_step(pseudo_collate([dataset[k]])))
        assert metric.evaluate(2)["motion/MPJPE"] > 0
