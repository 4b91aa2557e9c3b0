"""Files made to run code, fill the memory or mean two things: every reader of weights refuses every one of them."""

from __future__ import annotations

import pickle
import tracemalloc
from pathlib import Path

import pytest
from crafted import Canary, maker

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from orplugins.io.check_weights import check_weights  # noqa: E402
from orplugins.io.checkpoint_safety import UnsafeCheckpointError, check_checkpoint  # noqa: E402
from orplugins.io.safe_pickle import load_plain_pickle  # noqa: E402
from orplugins.io.weights import read_weights  # noqa: E402
from orplugins.videopose3d.checkpoint import read_checkpoint  # noqa: E402

# Damage that only a reader of the numbers sees, or none: a pickle of None, and notes that are not JSON.
HARMLESS = {"archive_bomb_memo.pth", "pickle_bomb_memo.pkl", "notes_deep.safetensors"}
MOST_MEMORY = 256 << 20
MADE = maker()


@pytest.fixture(scope="module")
def canary(tmp_path_factory) -> Canary:
    return Canary(tmp_path_factory.mktemp("canary"))


@pytest.fixture(scope="module")
def files(canary, tmp_path_factory) -> list[Path]:
    out = MADE.write_crafted(tmp_path_factory.mktemp("crafted"))
    canary.sang()
    return out


def refused(read, path: Path) -> bool:
    """Whether it is refused in one line with the file's name; nothing else may be raised."""
    tracemalloc.start()
    try:
        read(path)
        return False
    except (ValueError, FileNotFoundError) as error:
        assert str(path) in str(error) and "\n" not in str(error)
        return True
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < MOST_MEMORY, f"{path.name}: {peak} bytes"


@pytest.mark.parametrize("name", MADE.bodies())
def test_the_canary_sings_in_pythons_own_reader(name, canary):
    pytest.importorskip("mmengine")
    try:
        pickle.loads(b"\x80\x04" + MADE.bodies()[name] + b".")
    except Exception:  # noqa: S110 - some give a value that the next opcode cannot use
        pass
    assert canary.sings_within()


@pytest.mark.parametrize("read", [read_weights, check_weights, check_checkpoint, load_plain_pickle])
def test_every_file_is_refused(read, files, canary):
    taken = {path.name for path in files if not refused(read, path)}
    assert taken <= HARMLESS
    assert not canary.sang()


@pytest.mark.parametrize("option", [{"model_zoo": True}, {"ignore_unknown": True}], ids=str)
def test_options_of_the_reader_run_nothing_either(option, files, canary):
    for path in files:
        refused(lambda file: read_weights(file, **option), path)
    assert not canary.sang()


def test_lifters_run_nothing(files, canary):
    assert not [path.name for path in files if not refused(read_checkpoint, path)]
    assert not canary.sang()


def test_what_would_run_is_named(tmp_path):
    path = tmp_path / "a.pth"
    path.write_bytes(MADE.crafted_files()["archive_reduce_system.pth"])
    with pytest.raises(UnsafeCheckpointError, match=r"a\.pth: loading it would execute os\.system; expected"):
        read_weights(path)


def test_torchscript_is_named(files):
    scripts = [path for path in files if path.name.startswith("torchscript")]
    if not scripts:
        pytest.skip("this torch writes no TorchScript")
    for path in scripts:
        with pytest.raises(UnsafeCheckpointError, match="TorchScript code"):
            read_weights(path)


@pytest.mark.parametrize("mapping", ["pth", "safetensors", "bin", "Pkl", ""])
def test_the_name_says_nothing(mapping, tmp_path):
    """An honest file is read under any name."""
    path = tmp_path / (f"a.{mapping}" if mapping else "a")
    for zipped in (True, False):
        torch.save({"state_dict": {"w": torch.arange(4.0)}}, path, _use_new_zipfile_serialization=zipped)
        check_weights(path)
        assert read_weights(path)["state_dict"]["w"].tolist() == [0, 1, 2, 3]
