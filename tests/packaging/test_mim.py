"""``mim test orplugins ...`` and ``mim train orplugins ...`` with an installed wheel."""

import json
import sys
from pathlib import Path

import pytest

from .conftest import run

pytest.importorskip("mmpose")
pytest.importorskip("mim")
pytestmark = pytest.mark.slow

CONFIG = "depthpose_tiny-64x48.py"  # as mim finds it: by its name, in the package


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """A folder with the wheel in it, for ``PYTHONPATH``: it hides an editable install, and the hosts stay visible."""
    folder = tmp_path_factory.mktemp("installed")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    run(*pip, "install", "--no-deps", "--no-index", "--target", folder, wheel, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    from orplugins.synthetic.export.mvor_layout import write_dataset

    folder = tmp_path_factory.mktemp("depth_people")
    write_dataset(folder, 4, seed=3, size=(320, 240), people=(1, 2))
    return folder


def mim(command: str, *arguments: str, installed: Path, data: Path, out: Path) -> str:
    """Run ``mim COMMAND orplugins CONFIG`` on generated data."""
    options = {
        "train_dataloader.dataset.data_root": f"{data}/",
        "train_dataloader.batch_size": 2,
        **{f"{part}_dataloader.dataset.data_root": f"{data}/" for part in ("val", "test")},
        **{f"{part}_evaluator.ann_file": data / "annotations/mvor.json" for part in ("val", "test")},
        **{f"{part}_dataloader.num_workers": 0 for part in ("train", "val", "test")},
        **{f"{part}_dataloader.persistent_workers": False for part in ("train", "val", "test")},
        "train_cfg.max_epochs": 1,
        "train_cfg.val_interval": 2,
        "default_hooks.checkpoint.interval": 1,
    }
    settings = [f"{key}={value}" for key, value in options.items()]
    entry = "import sys; from mim.__main__ import cli; sys.exit(cli())"
    call = (sys.executable, "-c", entry, command, "orplugins", CONFIG, *arguments, "--work-dir", out)
    return run(*call, "--cfg-options", *settings, cwd=out, PYTHONPATH=str(installed), MPLBACKEND="Agg")


def test_mim_test(installed, data, tmp_path):
    carried = installed / "orplugins" / ".mim"
    weights = carried / "demo" / "depthpose_tiny-64x48.safetensors"
    text = mim("test", "--checkpoint", str(weights), installed=installed, data=data, out=tmp_path)
    assert str(carried / "tools" / "test.py") in text and "Testing finished successfully" in text
    (metrics,) = tmp_path.glob("*/*.json")
    assert any(key.startswith("PCK/") for key in json.loads(metrics.read_text()))


def test_mim_train(installed, data, tmp_path):
    text = mim("train", installed=installed, data=data, out=tmp_path)
    assert str(installed / "orplugins" / ".mim" / "tools" / "train.py") in text
    assert (tmp_path / "epoch_1.pth").is_file()
