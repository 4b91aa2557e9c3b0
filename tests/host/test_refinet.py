"""RefiNet's modules through mmpose's own train.py, a resumed run, and the merged chain through its test.py."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
mmpose = pytest.importorskip("mmpose")
pytest.importorskip("h5py")

from orplugins.synthetic.export.itop_files import write_itop  # noqa: E402

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
STOCK = Path(mmpose.__file__).parent / ".mim/tools"
CONFIGS = ROOT / "configs/mmpose/refinet"


def run(*command, ok: bool = True) -> str:
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
    done = subprocess.run(
        [sys.executable, *map(str, command)], env=environment, text=True, capture_output=True, timeout=600
    )
    assert (done.returncode == 0) == ok, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout + done.stderr


def options(data: Path, batch: int = 4, values: dict | None = None) -> list[str]:
    values = {
        **(values or {}),
        "train_dataloader.batch_size": batch,
        "train_cfg.max_epochs": 2,
        "train_cfg.val_interval": 1,
        "default_hooks.checkpoint.interval": 1,
        "default_hooks.checkpoint.max_keep_ckpts": 3,
    }
    for part in ("train", "val", "test"):
        values |= {
            f"{part}_dataloader.dataset.data_root": f"{data}/",
            f"{part}_dataloader.num_workers": 0,
            f"{part}_dataloader.persistent_workers": False,
        }
    return ["--cfg-options", *(f"{key}={value}" for key, value in values.items()), "randomness.deterministic=True"]


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("itop")
    write_itop(root, 20, seed=6, views=("side",), everyone=True)
    return root


def train(config: str, data: Path, out: Path, *more, values: dict | None = None) -> str:
    return run(STOCK / "train.py", CONFIGS / config, "--work-dir", out, *more, *options(data, values=values))


def poses_of_b(data: Path, out: Path) -> dict:
    """Let module B write what module C starts from; the options that name the file."""
    run(ROOT / "tools/refinet_files.py", "merge-weights", f"--b={out / 'b/epoch_2.pth'}", "--out", out / "b.pth")
    poses = out / "b-trainval.npz"
    values = {"test_dataloader.dataset.split": "trainval", "test_evaluator.1.out_file": poses}
    printed = run(
        STOCK / "test.py",
        CONFIGS / "refinet-lift-b_or.py",
        out / "b.pth",
        "--work-dir",
        out / "t",
        *options(data, values=values),
    )
    assert "itop/b/mde_cm" in printed and poses.is_file()
    return {f"{part}_dataloader.dataset.keypoint_file": poses for part in ("train", "val")}


def weights(path: Path) -> dict:
    return torch.load(path, map_location="cpu", weights_only=False)["state_dict"]


def test_train_resume_merge_and_test(data, tmp_path):
    for module in "ab":
        printed = train(f"refinet-{module}_or.py", data, tmp_path / module)
        assert "itop/mde_cm_occluded" in printed and "upper body" in printed
    poses = poses_of_b(data, tmp_path)
    printed = train("refinet-c_or.py", data, tmp_path / "c", values=poses)
    assert "itop/mde_cm_occluded" in printed
    resumed = tmp_path / "resumed"
    resumed.mkdir()
    first = sorted((tmp_path / "b").glob("epoch_*.pth"))
    (resumed / "epoch_1.pth").write_bytes((tmp_path / "b/epoch_1.pth").read_bytes())
    (resumed / "last_checkpoint").write_text(str(resumed / "epoch_1.pth"))
    train("refinet-b_or.py", data, resumed, "--resume")
    unbroken, again = weights(first[-1]), weights(resumed / "epoch_2.pth")
    assert not [name for name in unbroken if not torch.equal(unbroken[name], again[name])]

    merged = tmp_path / "chain.pth"
    files = [f"--{module}={tmp_path / module}/epoch_2.pth" for module in "abc"]
    assert "tensors" in run(ROOT / "tools/refinet_files.py", "merge-weights", *files, "--out", merged)
    printed = run(STOCK / "test.py", CONFIGS / "refinet_or.py", merged, "--work-dir", tmp_path / "t", *options(data))
    assert "itop/c/mde_cm" in printed and "itop/input/mde_cm" in printed
    wrong = [f"--a={tmp_path / 'b'}/epoch_2.pth"]
    printed = run(ROOT / "tools/refinet_files.py", "merge-weights", *wrong, "--out", tmp_path / "no.pth", ok=False)
    assert "found skeleton_net, expected patch_net" in printed and not (tmp_path / "no.pth").exists()
