"""mmengine's reader looks into a file as soon as a model of the project has been built."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")

from mmengine.config import Config  # noqa: E402
from mmengine.runner import CheckpointLoader, load_checkpoint  # noqa: E402
from mmengine.runner.checkpoint import load_from_local  # noqa: E402

from orplugins.hosts.mmpose.checkpoints import guard_checkpoints, load_from_checked_local  # noqa: E402
from orplugins.io.checkpoint_safety import UnsafeCheckpointError  # noqa: E402


class Evil:
    def __init__(self, marker: Path):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


@pytest.fixture(autouse=True)
def host_reader():
    """Every test starts and ends with mmengine's own reader."""
    CheckpointLoader.register_scheme("", load_from_local, force=True)
    yield
    CheckpointLoader.register_scheme("", load_from_local, force=True)


def test_nothing_is_executed_after_guarding(tmp_path):
    path, marker, model = tmp_path / "evil.pth", tmp_path / "executed", torch.nn.Linear(1, 1)
    torch.save({"state_dict": {}, "meta": Evil(marker)}, path)
    guard_checkpoints()
    guard_checkpoints()
    with pytest.raises(UnsafeCheckpointError, match="evil.pth.*system"):
        load_checkpoint(model, str(path))
    assert not marker.exists()
    torch.save({"state_dict": {"weight": torch.full((1, 1), 7.0), "bias": torch.zeros(1)}}, path)
    load_checkpoint(model, str(path), map_location="cpu")
    assert model.weight.item() == 7


def test_reading_a_config_guards_for_inferencers(monkeypatch):
    """They open the checkpoint before they build the model."""
    monkeypatch.delitem(sys.modules, "orplugins.mmpose.guard", raising=False)
    config = Config.fromfile(Path(__file__).parents[2] / "configs/mmpose/depthpose/depthpose_tiny-64x48.py")
    assert "orplugins.mmpose.guard" in config.custom_imports.imports
    assert CheckpointLoader._get_checkpoint_loader("a.pth") is load_from_checked_local


def test_the_host_alone_is_not_changed():
    assert CheckpointLoader._get_checkpoint_loader("a.pth") is load_from_local


def test_building_our_model_guards():
    from mmengine.config import Config
    from mmengine.registry import init_default_scope
    from mmpose.registry import MODELS

    init_default_scope("mmpose")
    config = Path(__file__).resolve().parents[2] / "configs/mmpose/depthpose/depthpose_tiny-64x48.py"
    MODELS.build(Config.fromfile(config).model)
    assert CheckpointLoader._get_checkpoint_loader("a.pth") is not load_from_local
