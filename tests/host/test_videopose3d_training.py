"""mmpose's own train.py and test.py run semi-supervised lifting; published weights come in through test.py."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
mmpose = pytest.importorskip("mmpose")

from orplugins.synthetic.motion_points import write_lifting_data  # noqa: E402
from orplugins.videopose3d.checkpoint import to_published  # noqa: E402

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(mmpose.__file__).parent / ".mim" / "tools"
CONFIG = ROOT / "configs/mmpose/videopose3d/videopose3d_27-h36m_semi.py"


def run(tool: str, out: Path, data: Path, *arguments: str) -> str:
    options = {
        "train_dataloader.dataset.datasets.0.data_root": data,
        "train_dataloader.dataset.datasets.1.data_root": data,
        "train_dataloader.dataset.datasets.1.subjects": "['S2']",
        "train_dataloader.batch_size": 8,
        "train_dataloader.sampler.batch_size": 8,
        **{f"{kind}_dataloader.dataset.data_root": data for kind in ("val", "test")},
        **{f"model.{part}.stem_channels": 16 for part in ("backbone", "traj_backbone")},
        **{f"model.{part}.in_channels": 16 for part in ("head", "traj_head")},
        "train_cfg.max_epochs": 2,
        "train_cfg.val_interval": 2,
        "default_hooks.logger.interval": 1,
    }
    command = [sys.executable, str(TOOLS / tool), str(CONFIG), *arguments, "--work-dir", str(out), "--cfg-options"]
    command += [f"{key}={value}" for key, value in options.items()]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=out, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout + done.stderr


def test_semi_supervised_training_and_published_weights(tmp_path):
    write_lifting_data(tmp_path / "data", ["S1", "S2", "V1"], frames=54)
    log = run("train.py", tmp_path, tmp_path / "data")
    first, second = (text for text in log.split("Epoch(train)") if "loss:" in text), log
    assert "loss_projection" in second and "loss_bone" in second and "motion/MPJPE" in second
    assert "loss_bone" not in next(first)  # warm-up: the first epoch is supervised
    (best,) = tmp_path.glob("epoch_2.pth")
    state = torch.load(best, map_location="cpu", weights_only=False)["state_dict"]
    published = {"epoch": 2, "random_state": __import__("numpy").random.RandomState(0), **to_published(state)}
    torch.save(published, tmp_path / "published.bin")
    score = [line.split("motion/MPJPE:")[1].split()[0] for line in log.splitlines() if "motion/MPJPE:" in line]
    again = run("test.py", tmp_path, tmp_path / "data", f"videopose3d://{tmp_path / 'published.bin'}")
    (same,) = [line.split("motion/MPJPE:")[1].split()[0] for line in again.splitlines() if "motion/MPJPE:" in line]
    assert float(same) == pytest.approx(float(score[-1]), rel=1e-4)
