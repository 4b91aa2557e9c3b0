"""An output that cannot be written is one error line and exit code 1, not a traceback."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def blocked(tmp_path):
    """A path below a file."""
    (tmp_path / "file").write_text("")
    return tmp_path / "file/x"


def one_line(capsys, main, arguments):
    assert main([str(a) for a in arguments]) == 1
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and "file" in errors[0]


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("compare_decoders", ["--scenes", "1", "--people", "1"]),
        ("make_motion", ["take", "--frames", "40"]),
        ("make_motion", ["lifting", "--frames", "10", "--subjects", "1"]),
        ("draw_montage", ["--numbers", "0"]),
    ],
)
def test_commands(capsys, blocked, command, options):
    main = importlib.import_module(f"orplugins.cli.{command}").main
    one_line(capsys, main, [*options, "--out", blocked / "out.png" if command == "draw_montage" else blocked])


def test_poses_to_npz(capsys, blocked, tmp_path):
    from orplugins.cli.refinet_files import main
    from orplugins.refinet.pose_files import save_itop_poses

    save_itop_poses(tmp_path / "p.pkl", np.arange(2), np.ones((2, 15, 2)))
    one_line(capsys, main, ["poses-to-npz", tmp_path / "p.pkl", "--out", blocked / "p.npz"])


def test_losses(capsys, blocked, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(ROOT / "dev"), *sys.path])
    main = importlib.import_module("plot_losses").main
    (tmp_path / "s.json").write_text("".join(json.dumps({"step": k, "loss": 1.0}) + "\n" for k in range(3)))
    one_line(capsys, main, [tmp_path / "s.json", "--keys", "loss", "--out", blocked / "l.png"])
    (tmp_path / "file2.json").write_text('{"step": 1, "loss": "a"}\n[1]\n')
    one_line(capsys, main, [tmp_path / "file2.json", "--keys", "loss", "--out", tmp_path / "l.png"])
