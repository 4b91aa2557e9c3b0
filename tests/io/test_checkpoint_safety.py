"""Checkpoints that would execute code are refused unread; honest ones pass."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from pathlib import Path

import pytest

from orplugins.io.checkpoint_safety import UnsafeCheckpointError, check_checkpoint

torch = pytest.importorskip("torch")


class System:
    """Runs a command when it is unpickled."""

    def __init__(self, marker: Path):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


class Eval:
    """Evaluates Python when it is unpickled."""

    def __init__(self, marker: Path):
        self.marker = marker

    def __reduce__(self):
        return eval, (f"open({str(self.marker)!r}, 'w').close()",)


def archive(path: Path, data: bytes, name: str = "archive/data.pkl") -> Path:
    """A file that looks as torch.save makes them."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(name, data)
        file.writestr("archive/version", "3\n")
    return path


def data_pkl(path: Path) -> bytes:
    with zipfile.ZipFile(path) as file:
        return next(file.read(name) for name in file.namelist() if name.endswith("data.pkl"))


@pytest.mark.parametrize("evil", [System, Eval])
@pytest.mark.parametrize("protocol", [2, 4])
def test_code_is_refused_and_not_executed(evil, protocol, tmp_path):
    path, marker = tmp_path / "evil.pth", tmp_path / "executed"
    torch.save({"state_dict": {"w": torch.zeros(2)}, "meta": evil(marker)}, path, pickle_protocol=protocol)
    with pytest.raises(UnsafeCheckpointError, match="evil.pth.*execute.*(system|eval)"):
        check_checkpoint(path)
    assert not marker.exists()
    # The same content without tensors does execute: the test would see it.
    pickle.loads(pickle.dumps(evil(marker), protocol=protocol))
    assert marker.exists()


_HISTORY = b"cmmengine.logging.history_buffer\nHistoryBuffer\n"


def test_getattr_is_only_for_listed_methods(tmp_path):
    good = b"\x80\x02}X\x01\x00\x00\x00mc__builtin__\ngetattr\n" + _HISTORY + b"X\x03\x00\x00\x00min\x86Rs."
    check_checkpoint(archive(tmp_path / "good.pth", good))
    with pytest.raises(UnsafeCheckpointError, match="getattr"):
        check_checkpoint(archive(tmp_path / "other.pth", good.replace(b"\x03\x00\x00\x00min", b"\x03\x00\x00\x00mro")))


@pytest.mark.parametrize("name", ["archive/data.pkl", "archive/extra/data.pkl", "archive/.data/x.pkl"])
def test_every_pickle_of_the_archive_is_looked_at(name, tmp_path):
    data = pickle.dumps(System(tmp_path / "executed"))
    with pytest.raises(UnsafeCheckpointError):
        check_checkpoint(archive(tmp_path / "evil.pth", data, name))


def test_two_entries_of_one_name_are_refused(tmp_path):
    path = tmp_path / "twice.pth"
    with zipfile.ZipFile(path, "w") as file, pytest.warns(UserWarning, match="Duplicate name"):
        file.writestr("archive/data.pkl", pickle.dumps(System(tmp_path / "executed")))
        file.writestr("archive/data.pkl", pickle.dumps({}))
    with pytest.raises(ValueError, match="two entries 'archive/data.pkl'"):
        check_checkpoint(path)


def test_an_archive_behind_another_pickle_is_refused(tmp_path):
    # torch would read the pickle in front, zipfile shows the archive behind it
    path = archive(tmp_path / "behind.pth", pickle.dumps({}))
    path.write_bytes(pickle.dumps(System(tmp_path / "executed")) + path.read_bytes())
    with pytest.raises(UnsafeCheckpointError, match="system"):
        check_checkpoint(path)
    front = archive(tmp_path / "front.pth", pickle.dumps(System(tmp_path / "executed"))).read_bytes()
    path.write_bytes(front + archive(tmp_path / "back.pth", pickle.dumps({})).read_bytes())
    with pytest.raises(ValueError, match="no torch checkpoint: its directory is not where"):
        check_checkpoint(path)


def test_files_of_old_torch(tmp_path):
    path, marker = tmp_path / "old.pth", tmp_path / "executed"
    torch.save({"w": torch.ones(3), "epoch": 4}, path, _use_new_zipfile_serialization=False)
    check_checkpoint(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:150])
    with pytest.raises(ValueError, match="old.pth: truncated or no torch checkpoint"):
        check_checkpoint(path)
    torch.save({"w": torch.ones(3), "meta": System(marker)}, path, _use_new_zipfile_serialization=False)
    with pytest.raises(UnsafeCheckpointError, match="system"):
        check_checkpoint(path)
    # code in a pickle of its own before, between and behind the others
    parts = [pickle.dumps(part, protocol=2) for part in (0x1950A86A20F9469CFC6C, 1001, {}, {}, [])]
    for position in range(5):
        evil = list(parts)
        evil[position] = pickle.dumps(System(marker), protocol=2)
        path.write_bytes(b"".join(evil))
        with pytest.raises(ValueError):
            check_checkpoint(path)
    assert not marker.exists()


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.pth: no such file"):
        check_checkpoint(tmp_path / "nowhere.pth")


def test_truncated_file(tmp_path):
    path = tmp_path / "half.pth"
    buffer = io.BytesIO()
    torch.save({"w": torch.zeros(1000)}, buffer)
    path.write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
    with pytest.raises(ValueError, match="half.pth: truncated or no torch checkpoint"):
        check_checkpoint(path)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", pickle.dumps({"w": 1})])
def test_no_zip_archive(content, tmp_path):
    path = tmp_path / "other.pth"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="other.pth: truncated or no torch checkpoint"):
        check_checkpoint(path)


def test_zip_archive_without_a_pickle(tmp_path):
    with pytest.raises(ValueError, match="no data.pkl"):
        check_checkpoint(archive(tmp_path / "photos.pth", b"", name="photo.png"))


@pytest.mark.parametrize("data", [b"", b"\x80\x02}q\x00", b"\x80\x04\x8c\xff"])
def test_damaged_pickle(data, tmp_path):
    with pytest.raises(ValueError, match="damaged.pth: truncated or no torch checkpoint"):
        check_checkpoint(archive(tmp_path / "damaged.pth", data))


def test_raw_state_dict_passes(tmp_path):
    path = tmp_path / "raw.pth"
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2)).half()
    torch.save(model.state_dict(), path)
    check_checkpoint(path)


def test_parameters_and_numbers_pass(tmp_path):
    np = pytest.importorskip("numpy")
    path = tmp_path / "values.pth"
    values = {"p": torch.nn.Parameter(torch.zeros(2)), "a": np.arange(3.0), "s": np.float64(1)}
    torch.save({**values, "shape": torch.Size([2]), "type": torch.float16, "d": torch.device("cpu"), "set": {1}}, path)
    check_checkpoint(path)


def test_checkpoint_of_the_hosts_runner_passes(tmp_path):
    mmengine = pytest.importorskip("mmengine")
    from mmengine.dataset import DefaultSampler
    from mmengine.model import BaseModel
    from mmengine.runner import Runner
    from torch.utils.data import DataLoader

    class Model(BaseModel):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(1, 1, 1)

        def forward(self, inputs, mode="tensor"):
            return {"loss": self.conv(inputs[0]).square().mean()}

    data = [(torch.ones(1, 2, 2),) for _ in range(4)]
    runner = Runner(
        Model(),
        work_dir=str(tmp_path),
        train_dataloader=DataLoader(data, batch_size=2, sampler=DefaultSampler(data)),
        train_cfg=dict(by_epoch=True, max_epochs=1),
        optim_wrapper=dict(optimizer=dict(type="AdamW", lr=0.1)),
        param_scheduler=[dict(type="CosineAnnealingLR", T_max=4, by_epoch=True)],
        default_hooks=dict(checkpoint=dict(type="CheckpointHook", interval=1)),
        custom_hooks=[dict(type="EMAHook")],
        default_scope="mmengine",
        experiment_name="safety",
    )
    runner.train()
    path = tmp_path / "epoch_1.pth"
    assert b"HistoryBuffer" in data_pkl(path)
    check_checkpoint(path)
    assert mmengine.__version__
