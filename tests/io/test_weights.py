"""Files of weights come back as they were written; broken ones are refused by name."""

import json
import os

import pytest
from tests_tools import run_tool

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from safetensors.torch import save_file  # noqa: E402

from orplugins.io.check_weights import check_weights  # noqa: E402
from orplugins.io.weights import misfits, read_weights, write_weights  # noqa: E402


@pytest.fixture
def state():
    shared = torch.arange(6.0)
    return {"a.weight": shared.view(2, 3).t(), "b": shared[2:], "n": torch.tensor(3), "h": torch.ones(2).half()}


def test_round_trip(tmp_path, state):
    path = tmp_path / "x.safetensors"
    write_weights(path, state, {"config": "c.py", "metrics": {"PCK": 1.5}})
    content = read_weights(path)
    assert content["meta"] == {"config": "c.py", "metrics": {"PCK": 1.5}}
    assert content["state_dict"].keys() == state.keys()
    for name, tensor in state.items():
        torch.testing.assert_close(content["state_dict"][name], tensor, rtol=0, atol=0)
    assert list(tmp_path.iterdir()) == [path]


def test_torch_files_are_read_too(tmp_path, state):
    torch.save({"state_dict": state}, tmp_path / "x.pth")
    assert read_weights(tmp_path / "x.pth")["state_dict"].keys() == state.keys()


def test_a_file_of_others_has_no_meta(tmp_path):
    save_file({"w": torch.ones(1)}, tmp_path / "x.safetensors")
    assert read_weights(tmp_path / "x.safetensors", None)["meta"] == {}


def test_bad_files(tmp_path, state):
    with pytest.raises(FileNotFoundError, match="absent.safetensors: no such file"):
        read_weights(tmp_path / "absent.safetensors")
    path = tmp_path / "x.safetensors"
    write_weights(path, state, {})
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(ValueError, match="x.safetensors: truncated or not a safetensors file"):
        read_weights(path)
    save_file({"w": torch.ones(1)}, path, {"orplugins": "{"})
    with pytest.raises(ValueError, match="header's 'orplugins' is not JSON"):
        read_weights(path)


def test_what_is_no_file_is_refused_before_it_is_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.pth")
    (tmp_path / "loop.pth").symlink_to(tmp_path / "loop.pth")
    for path, found in ((tmp_path, "is a folder"), (tmp_path / "pipe.pth", "is a pipe"), ("/dev/zero", "is a pipe")):
        for read in (read_weights, check_weights):
            with pytest.raises(ValueError, match=f"checkpoint {path}: {found}.*expected a file of weights"):
                read(path)
    for path in (tmp_path / "loop.pth", "~nobody-here/a.pth"):
        with pytest.raises(FileNotFoundError, match="no such file"):
            read_weights(path)


def test_the_host_reads_them(tmp_path, state):
    pytest.importorskip("mmpose")
    from mmengine.runner import CheckpointLoader, load_checkpoint
    from mmengine.runner.checkpoint import load_from_local

    from orplugins.hosts.mmpose.checkpoints import guard_checkpoints

    write_weights(tmp_path / "x.safetensors", {"weight": torch.full((1, 1), 7.0).half(), "bias": torch.zeros(1)}, {})
    model = torch.nn.Linear(1, 1)
    guard_checkpoints()
    try:
        load_checkpoint(model, str(tmp_path / "x.safetensors"), map_location="cpu", strict=True)
    finally:
        CheckpointLoader.register_scheme("", load_from_local, force=True)
    assert model.weight.item() == 7 and model.weight.dtype == torch.float32


def test_export(tmp_path, capsys):
    torch.save({"model": {"w": torch.ones(2, 3)}, "iteration": 4}, tmp_path / "d2.pth")
    (tmp_path / "metrics.json").write_text(json.dumps({"AP": 12.34}))
    out = tmp_path / "w.safetensors"
    (tmp_path / "scalars.json").write_text('{"loss": 1}\n')
    options = [
        "--config",
        "c.yaml",
        "--note",
        "two frames",
        "--metrics",
        str(tmp_path / "metrics.json"),
        "--log",
        str(tmp_path / "scalars.json"),
    ]
    run_tool("export_weights", str(tmp_path / "d2.pth"), "--out", str(out), *options)
    content = read_weights(out)
    assert content["state_dict"]["w"].dtype == torch.float16 and content["meta"]["iteration"] == 4
    assert out.with_suffix(".log.json").read_text() == '{"loss": 1}\n'
    text = out.with_suffix(".md").read_text()
    assert "| AP | 12.3 |" in text and "| trained on | two frames |" in text and "seed" not in text
    torch.save({"other": 1}, tmp_path / "d2.pth")
    run_tool("export_weights", str(tmp_path / "d2.pth"), "--out", str(tmp_path / "no.safetensors"), *options, code=1)
    assert "expected 'state_dict' or 'model'" in capsys.readouterr().err
    assert not (tmp_path / "no.safetensors").exists()


def test_differences_with_a_model_are_all_listed():
    shapes = {"conv.weight": (4, 2), "conv.bias": (4,), "last.weight": (1,), "norm.num_batches_tracked": ()}
    expected = {name: torch.empty(shape) for name, shape in shapes.items()}
    assert misfits(expected, expected) == []
    found = {"conv.weight": torch.empty(4, 3), "left.over": torch.empty(1)}
    assert misfits(found, expected, may_lack=("last.",)) == [
        "conv.weight: (4, 3) in the file, (4, 2) in the model",
        "conv.bias: missing",
        "left.over: the model has no such tensor",
    ]
