"""`--device` of every tool: a GPU where there is one, and one clear error where there is not."""

import argparse
import re
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from orplugins.device import add_device_option, choose_device  # noqa: E402

ROOT = Path(__file__).parents[1]
WITH_DEVICE = sorted(
    path
    for path in (*(ROOT / "tools").glob("*.py"), *(ROOT / "orplugins/cli").glob("*.py"))
    if "--device" in path.read_text() or "add_device_option(" in path.read_text()
)


@pytest.fixture
def gpus(monkeypatch):
    def pretend(count: int) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)

    return pretend


@pytest.mark.parametrize(
    ("count", "name", "chosen"),
    [(0, "auto", "cpu"), (1, "auto", "cuda"), (2, "cuda:1", "cuda:1"), (1, "cpu", "cpu"), (0, "cpu", "cpu")],
)
def test_choice(gpus, count, name, chosen):
    gpus(count)
    assert choose_device(name) == chosen


@pytest.mark.parametrize(
    ("count", "name", "words"),
    [(0, "cuda", "finds no GPU; expected cpu"), (1, "cuda:1", "finds 1 GPU"), (1, "gpu", "expected auto, cpu")],
)
def test_what_is_not_there_is_refused(gpus, count, name, words):
    gpus(count)
    with pytest.raises(ValueError, match=words):
        choose_device(name)


def test_option(gpus, capsys):
    gpus(0)
    parser = argparse.ArgumentParser()
    add_device_option(parser)
    assert parser.parse_args([]).device == "cpu"
    with pytest.raises(SystemExit):
        parser.parse_args(["--device", "cuda"])
    assert "finds no GPU" in capsys.readouterr().err


def test_every_tool_uses_the_one_option():
    assert len(WITH_DEVICE) >= 9
    for path in WITH_DEVICE:
        text = path.read_text()
        assert "add_device_option(" in text and not re.search(r'add_argument\(\s*"--device"', text), path


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("name", ["infer_color.py", "resolution_ladder.py"])
def test_asking_for_a_gpu_that_is_not_there_is_one_line(name, tmp_path):
    pytest.importorskip("detectron2")
    done = subprocess.run(
        [
            sys.executable,
            ROOT / "tools" / name,
            "--config-file" if "ladder" in name else "--config",
            "x.yaml",
            "--weights",
            "w",
            "--out",
            tmp_path,
            "--device",
            "cuda",
            *([] if "ladder" in name else ["x.png"]),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        env={"PATH": "", "PYTHONWARNINGS": "ignore"},
        cwd=tmp_path,
    )
    assert done.returncode == 2 and "argument --device: found device 'cuda'" in done.stderr
    assert "Traceback" not in done.stderr
