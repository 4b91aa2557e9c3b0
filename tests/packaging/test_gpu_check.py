"""The check that a GPU machine runs: its report, and a rehearsal of it on the CPU."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

REPOSITORY = Path(__file__).resolve().parents[2]
PARTS = {"forward", "decoders", "distributed", "transfers", "syncs", "throughput", "training"}


@pytest.fixture
def clone(monkeypatch):
    """Lets a test import ``dev.gpu`` as the script does."""
    monkeypatch.syspath_prepend(str(REPOSITORY))


def rehearse(out: Path, *options: str) -> list[dict]:
    """Run the script on the CPU and return the rows of its file."""
    command = [sys.executable, REPOSITORY / "dev/gpu_check.py", "--device", "cpu", "--quick", "--out", out, *options]
    done = subprocess.run(list(map(str, command)), cwd=out.parent, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    content = json.loads(out.read_text())
    assert content["head"]["torch"] == torch.__version__ and content["failed"] == 0
    table = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    assert len(table) == 2 + len(content["rows"])
    return content["rows"]


@pytest.mark.slow
def test_a_rehearsal_on_the_cpu(tmp_path):
    rows = rehearse(tmp_path / "check.json")
    assert {row["part"] for row in rows} == PARTS
    assert all(row["result"] == "ok" or row["result"].startswith("skipped: ") for row in rows)
    assert {row["part"] for row in rows if row["result"] == "ok"} >= PARTS - {"transfers", "syncs", "training"}
    single = [row for row in rows if row["part"] == "forward" and row["setting"] == "fp32" and row["result"] == "ok"]
    assert single and all(row["numbers"]["difference"] <= 1e-4 for row in single)


@pytest.mark.slow
def test_without_hosts_their_rows_say_so(tmp_path):
    rows = rehearse(tmp_path / "check.json", "--no-hosts", "--only", "decoders", "training")
    trained = {row["result"] for row in rows if row["part"] == "training"}
    assert trained == {"skipped: --no-hosts"}
    assert any(row["result"] == "ok" for row in rows)


def test_a_check_that_raises_is_a_row_and_the_run_goes_on(clone, tmp_path):
    from dev.gpu.report import Check, Outcome, Report, Skipped

    def fails():
        raise RuntimeError("first | line\nsecond")

    def skips():
        raise Skipped("1 GPU")

    report = Report({"device": "none"}, tmp_path / "check.json")
    runs = (fails, skips, lambda: Outcome("2", "<= 1", ok=False), lambda: Outcome("1", "<= 1", numbers={"n": 1.0}))
    report.run(Check("part", "check", "network", str(k), run) for k, run in enumerate(runs))
    results = [row.result for row in report.rows]
    assert results == ["FAILED: RuntimeError: first | line", "skipped: 1 GPU", "FAILED", "ok"]
    assert report.failed == 2 and "1 ok, 1 skipped, 2 FAILED" in report.text()
    assert r"first \| line" in report.text()  # a bar would end the table's cell
    content = json.loads((tmp_path / "check.json").read_text())
    assert [row["result"] for row in content["rows"]] == results and content["rows"][3]["numbers"] == {"n": 1.0}


def test_after_the_time_is_up_checks_are_skipped(clone):
    from dev.gpu.report import Check, Report

    report = Report({}, minutes=0)
    report.run([Check("part", "check", "", "", lambda: pytest.fail("it ran"))])
    assert [row.result for row in report.rows] == ["skipped: time"]


def test_the_exit_code_tells_of_a_failure(clone, monkeypatch, capsys):
    import dev.gpu.decoders
    import dev.gpu_check
    from dev.gpu.report import Check, Outcome

    for ok, code in ((True, 0), (False, 1)):
        checks = [Check("decoders", "check", "", "", lambda ok=ok: Outcome("", ok=ok))]
        monkeypatch.setattr(dev.gpu.decoders, "checks", lambda session, hosts, checks=checks: [] if hosts else checks)
        assert dev.gpu_check.main(["--device", "cpu", "--only", "decoders"]) == code
    assert "0 ok, 0 skipped, 1 FAILED" in capsys.readouterr().out


def test_outputs_that_differ_or_are_not_finite_are_noticed(clone):
    from dev.gpu.forward import relative

    expected = torch.tensor([1.0, -4.0])
    assert relative(expected, torch.tensor([1.0, -3.0])) == 0.25
    for found, message in (([1.0], "shape"), ([1.0, float("nan")], "not finite")):
        with pytest.raises(ValueError, match=message):
            relative(expected, torch.tensor(found))
    with pytest.raises(ValueError, match="all zeros"):
        relative(torch.zeros(2), torch.zeros(2))


def test_synchronisations_are_counted_in_the_second_call(clone, monkeypatch):
    from dev.gpu import syncs

    modes = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", modes.append)

    def run():
        warnings.warn(f"{syncs.WARNING} (from a test)", stacklevel=1)
        warnings.warn("something else", stacklevel=1)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert syncs.count_synchronisations(lambda: [run(), run()]) == 2
    assert modes == ["warn", "default"]


def test_the_depth_networks_are_those_of_the_configs(clone):
    pytest.importorskip("mmpose")
    from mmengine.config import Config
    from mmengine.registry import init_default_scope
    from mmpose.registry import MODELS

    from dev.gpu.networks import CONFIGS, DEPTHPOSE
    from orplugins.depthpose.network import DepthPose

    init_default_scope("mmpose")
    for name, options in DEPTHPOSE.items():
        config = Config.fromfile(CONFIGS / f"mmpose/depthpose/{name}.py").model
        named = {**MODELS.build(config.backbone).state_dict(), **MODELS.build(config.head).state_dict()}
        expected = {key: value.shape for key, value in named.items() if not key.startswith("reconstruction.")}
        assert {key: value.shape for key, value in DepthPose(**options).state_dict().items()} == expected, name
