"""After `import orplugins` both hosts read weights by our reader, wherever in the host a file is read."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import pytest
from crafted import Canary, maker

torch = pytest.importorskip("torch")

import orplugins  # noqa: E402, F401 - its import is what is tested
from orplugins.io.checkpoint_safety import UnsafeCheckpointError  # noqa: E402
from orplugins.io.weights import write_weights  # noqa: E402

HARMLESS = {"archive_bomb_memo.pth", "notes_deep.safetensors"}


@pytest.fixture(scope="module")
def canary(tmp_path_factory) -> Canary:
    return Canary(tmp_path_factory.mktemp("canary"))


@pytest.fixture(scope="module")
def files(canary, tmp_path_factory) -> list[Path]:
    out = maker().write_crafted(tmp_path_factory.mktemp("crafted"))
    canary.sang()
    return [path for path in out if path.name not in HARMLESS]


@pytest.fixture(autouse=True)
def as_torch_was(monkeypatch):
    """torch.load without its own protection, as it was up to 2.5."""
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")


class TestMmengine:
    @pytest.fixture(autouse=True)
    def host(self):
        pytest.importorskip("mmengine")
        from orplugins.hosts.mmpose.checkpoints import guard_checkpoints

        guard_checkpoints()  # another test may have put the host's own reader back

    def test_every_file_is_refused(self, files, canary):
        from mmengine.runner import load_checkpoint

        for path in files:
            with pytest.raises(ValueError, match=path.name) as refusal:
                load_checkpoint(torch.nn.Linear(1, 1), str(path))
            assert "\n" not in str(refusal.value)
        assert not canary.sang()

    def test_every_scheme_is_guarded(self, files, canary, monkeypatch, tmp_path):
        from mmengine.runner import CheckpointLoader, checkpoint

        pytest.importorskip("mmpose")
        import orplugins.videopose3d.mmpose  # noqa: F401 - it adds a scheme

        evil = next(path for path in files if path.name == "archive_reduce.pth")
        monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
        monkeypatch.setattr(
            "torch.hub.download_url_to_file",
            lambda url, path, *_, **__: Path(path).write_bytes(evil.read_bytes()),
        )
        monkeypatch.setenv("MMENGINE_HOME", str(evil.parent))
        monkeypatch.setattr(checkpoint, "get_torchvision_models", lambda: {"a": "https://host/a.pth"})
        monkeypatch.setattr(checkpoint, "get_external_models", lambda: {"a": evil.name, "b": "https://host/b.pth"})
        monkeypatch.setattr(checkpoint, "get_deprecated_model_names", dict)

        class Storage:
            get = staticmethod(lambda name: evil.read_bytes())

        monkeypatch.setattr(checkpoint, "get_file_backend", lambda *_, **__: Storage)
        addresses = ("https://host/c.pth", "torchvision://a", "modelzoo://a", "open-mmlab://a", "openmmlab://b",
                     "s3://a.pth", "petrel://a.pth", str(evil), f"videopose3d://{evil}")  # fmt: skip
        for address in addresses:
            with pytest.raises((UnsafeCheckpointError, ValueError)):
                CheckpointLoader.load_checkpoint(address)
        assert not canary.sang()

    def test_a_download_is_kept_and_read(self, monkeypatch, tmp_path):
        from mmengine.runner import CheckpointLoader

        calls = []

        def download(url, path, *_, **__):
            calls.append(url)
            torch.save({"state_dict": {"w": torch.ones(1)}}, path)

        monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
        monkeypatch.setattr("torch.hub.download_url_to_file", download)
        for _ in range(2):
            assert CheckpointLoader.load_checkpoint("https://host/x/a.pth?v=1")["state_dict"]["w"].item() == 1
        assert calls == ["https://host/x/a.pth?v=1"] and (tmp_path / "checkpoints/a.pth").is_file()

    def test_the_history_of_logged_values_comes_back(self, tmp_path):
        import numpy as np
        from mmengine.logging import HistoryBuffer, MessageHub
        from mmengine.runner import CheckpointLoader

        hub = MessageHub.get_instance("guards")
        for value in (1.5, 2.5, 4.0):
            hub.update_scalar("train/loss", value)
        hub.update_info("note", {"best": np.float32(3)})
        torch.save({"message_hub": hub.state_dict()}, tmp_path / "a.pth")
        state = CheckpointLoader.load_checkpoint(str(tmp_path / "a.pth"))["message_hub"]
        found = state["log_scalars"]["train/loss"]
        assert isinstance(found, HistoryBuffer) and found.max_length == hub.get_scalar("train/loss").max_length
        for new, old in zip(found.data, hub.get_scalar("train/loss").data, strict=True):
            np.testing.assert_array_equal(new, old)
            assert new.dtype == old.dtype
        assert found.statistics("mean") == hub.get_scalar("train/loss").mean()
        other = MessageHub.get_instance("guards2")
        other.load_state_dict(state)
        assert other.get_info("note") == {"best": 3}


class TestDetectron2:
    @pytest.fixture(autouse=True)
    def host(self):
        pytest.importorskip("detectron2")

    def load(self, path: str, model=None, **options):
        from detectron2.checkpoint import DetectionCheckpointer

        logging.disable(logging.CRITICAL)
        try:
            return DetectionCheckpointer(model or torch.nn.Linear(1, 1), **options).load(path)
        finally:
            logging.disable(logging.NOTSET)

    @pytest.mark.parametrize("query", ["", "?matching_heuristics=True"])
    def test_every_file_is_refused(self, query, files, canary):
        for path in files:
            if path.name in ("pickle_bomb_memo.pkl",) or (query and path.suffix == ".pkl"):
                continue
            with pytest.raises(ValueError, match=path.name) as refusal:
                self.load(f"{path}{query}")
            assert "\n" not in str(refusal.value)
        assert not canary.sang()

    def test_the_note_of_the_last_checkpoint_leads_to_no_code(self, files, canary, tmp_path):
        from detectron2.checkpoint import DetectionCheckpointer
        from fvcore.common.checkpoint import Checkpointer

        evil = next(path for path in files if path.name == "archive_reduce.pth")
        (tmp_path / "last_checkpoint").write_text(str(evil))
        for kind in (DetectionCheckpointer, Checkpointer):
            with pytest.raises(UnsafeCheckpointError, match="archive_reduce"):
                kind(torch.nn.Linear(1, 1), str(tmp_path)).resume_or_load("", resume=True)
        assert not canary.sang()

    def test_boxes_kept_as_pickles_run_nothing(self, files, canary):
        from detectron2.data.build import load_proposals_into_dataset

        evil = next(path for path in files if path.name == "pickle_reduce.pkl")
        with pytest.raises(UnsafeCheckpointError, match="pickle_reduce"):
            load_proposals_into_dataset([], str(evil))
        assert not canary.sang()

    @pytest.mark.parametrize("name", ["a.pth", "a.pkl", "a.safetensors", "a.pt"])
    @pytest.mark.parametrize("form", ["torch", "stream", "bare", "safetensors", "zoo", "zoo of Python 2"])
    def test_honest_files_are_loaded_under_any_name(self, name, form, tmp_path):
        import pickle

        path, state = tmp_path / name, {"weight": torch.full((1, 1), 7.0), "bias": torch.full((1,), 3.0)}
        arrays = {key: value.numpy() for key, value in state.items()}
        if form in ("torch", "stream"):
            torch.save({"model": state, "iteration": 5}, path, _use_new_zipfile_serialization=form == "torch")
        elif form == "bare":
            torch.save(state, path)
        elif form == "safetensors":
            write_weights(path, state, {})
        else:
            zoo = {"model": arrays, "__author__": "somebody", "matching_heuristics": True}
            path.write_bytes(pickle.dumps(zoo, protocol=2 if "2" in form else 4))
        model = torch.nn.Linear(1, 1)
        self.load(str(path), model)
        assert model.weight.item() == 7 and model.bias.item() == 3

    def test_caffe2s_files_are_still_known_as_such(self, tmp_path):
        import pickle

        import numpy as np
        from detectron2.checkpoint import DetectionCheckpointer

        path = tmp_path / "R-50.pkl"
        path.write_bytes(pickle.dumps({"blobs": {"conv1_w": np.ones((1, 1)), "conv1_w_momentum": np.ones(1)}}, 2))
        found = DetectionCheckpointer(torch.nn.Linear(1, 1))._load_file(str(path))
        assert found["__author__"] == "Caffe2" and list(found["model"]) == ["conv1_w"] and found["matching_heuristics"]

    def test_pycls_files_are_still_known_as_such(self, tmp_path):
        from detectron2.checkpoint import DetectionCheckpointer

        path = tmp_path / "a.pyth"
        torch.save({"model_state": {"w": torch.ones(1), "num_batches_tracked": torch.ones(1)}}, path)
        found = DetectionCheckpointer(torch.nn.Linear(1, 1))._load_file(str(path))
        assert found["__author__"] == "pycls" and list(found["model"]) == ["w"]


def test_torch_and_pickle_themselves_are_left_alone():
    import pickle

    file = io.BytesIO()
    torch.save({"path": Path("a")}, file)
    file.seek(0)
    assert torch.load(file, weights_only=False) == {"path": Path("a")}
    assert pickle.loads(pickle.dumps(Path("a"))) == Path("a")
