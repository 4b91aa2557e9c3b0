"""mmpose's own train.py, test.py and inferencer run our configs, unmodified and in processes of their own."""

from __future__ import annotations

import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
mmpose = pytest.importorskip("mmpose")

from orplugins.synthetic.export.mvor_layout import write_dataset  # noqa: E402

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(mmpose.__file__).parent / ".mim" / "tools"
CONFIG = ROOT / "configs/mmpose/depthpose/depthpose_tiny-64x48.py"
FRAMES, TIMEOUT = 8, 300


def _environment() -> dict:
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}


def _options(data: Path, **extra) -> list[str]:
    ann = data / "annotations/mvor.json"
    options = {
        "train_dataloader.dataset.data_root": f"{data}/",
        "train_dataloader.batch_size": 4,
        **{f"{part}_dataloader.dataset.data_root": f"{data}/" for part in ("val", "test")},
        **{f"{part}_evaluator.ann_file": ann for part in ("val", "test")},
        **{f"{part}_dataloader.num_workers": 0 for part in ("train", "val", "test")},
        **{f"{part}_dataloader.persistent_workers": False for part in ("train", "val", "test")},
        "train_cfg.max_epochs": 2,
        "train_cfg.val_interval": 1,
        "default_hooks.checkpoint.interval": 1,
        "randomness.seed": 0,
        "randomness.deterministic": True,
        **extra,
    }
    return ["--cfg-options", *(f"{key}={value}" for key, value in options.items())]


def _train(data: Path, out: Path, *arguments: str) -> list[str]:
    return [sys.executable, str(TOOLS / "train.py"), str(CONFIG), "--work-dir", str(out), *arguments, *_options(data)]


def _run(command: list[str], cwd: Path, ok: bool = True) -> subprocess.CompletedProcess:
    done = subprocess.run(command, cwd=cwd, env=_environment(), capture_output=True, text=True, timeout=TIMEOUT)
    if ok:
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done


def _metrics(out: Path) -> dict:
    """What the last run below a work directory wrote as its result."""
    files = [path for path in out.glob("*/*.json") if path.parent.name == path.stem]
    (path,) = sorted(files)[-1:]
    return {key: value for key, value in json.loads(path.read_text()).items() if key.startswith("PCK/")}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("depth_people")
    write_dataset(out, FRAMES, seed=3, size=(320, 240), people=(1, 3))
    return out


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory) -> Path:
    """Work directory of an unbroken run of two epochs."""
    out = tmp_path_factory.mktemp("unbroken")
    _run(_train(data, out), out)
    assert (out / "epoch_2.pth").is_file()
    return out


def test_a_killed_run_goes_on_to_the_same_weights(data, trained, tmp_path):
    process = subprocess.Popen(
        _train(data, tmp_path),
        cwd=tmp_path,
        env=_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        # Written after the checkpoint: the file that it names is whole.
        note, end = tmp_path / "last_checkpoint", time.monotonic() + TIMEOUT
        while not (note.exists() and note.read_text().endswith("epoch_1.pth")):
            assert process.poll() is None and time.monotonic() < end, "no checkpoint of the first epoch"
            time.sleep(0.002)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (tmp_path / "epoch_2.pth").exists()
    _run(_train(data, tmp_path, "--resume"), tmp_path)
    unbroken, resumed = (
        torch.load(folder / "epoch_2.pth", map_location="cpu", weights_only=False)["state_dict"]
        for folder in (trained, tmp_path)
    )
    assert unbroken.keys() == resumed.keys()
    different = [name for name in unbroken if not torch.equal(unbroken[name], resumed[name])]
    assert not different


# mmengine makes a process group only where there is a GPU (it calls torch.cuda.set_device first, whatever the backend),
# and takes one that is there already.
WITH_GROUP = """
import runpy, sys
import torch.distributed
torch.distributed.init_process_group("gloo")
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def _test_command(data: Path, checkpoint: Path, out: Path, *launcher: str, **options) -> list[str]:
    flags = ["--launcher", "pytorch"] if launcher else []
    tool = [str(TOOLS / "test.py"), str(CONFIG), str(checkpoint), "--work-dir", str(out), *flags]
    return [sys.executable, *launcher, *tool, *_options(data, **options)]


def test_two_processes_measure_what_one_does(data, trained, tmp_path):
    # With untrained weights nobody is found: the lowest threshold makes people of noise.
    low = {
        "model.head.decoder.settings.heatmap_threshold": 0.02,
        "model.head.decoder.settings.paf_threshold": 0.0,
        "model.head.decoder.settings.min_mean_score": 0.0,
    }
    one, two = tmp_path / "one", tmp_path / "two"
    done = _run(_test_command(data, trained / "epoch_2.pth", one, **low), tmp_path)
    assert "PCK/Average" in done.stdout + done.stderr
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = tmp_path / "with_group.py"
    script.write_text(WITH_GROUP, encoding="utf-8")
    where = ("--nproc_per_node=2", "--master_addr=127.0.0.1", f"--master_port={port}")
    launcher = ("-m", "torch.distributed.run", *where, str(script))
    # mmengine would give its wrapper the number of a GPU.
    options = {
        "env_cfg.dist_cfg.backend": "gloo",
        "model_wrapper_cfg.device_ids": None,
        "model_wrapper_cfg.type": "MMDistributedDataParallel",
        **low,
    }
    _run(_test_command(data, trained / "epoch_2.pth", two, *launcher, **options), tmp_path)
    expected = _metrics(one)
    assert "PCK/Average" in expected and _metrics(two) == expected


def test_mim_test_prints_the_metrics(data, trained, tmp_path):
    command = [sys.executable, "-m", "mim", "test", "mmpose", str(CONFIG), "--checkpoint", str(trained / "epoch_2.pth")]
    done = _run([*command, "--work-dir", str(tmp_path), *_options(data)], tmp_path)
    assert "PCK/Average" in done.stdout + done.stderr


def test_inferencer_draws_on_a_16_bit_picture(data, trained, tmp_path):
    picture = sorted(data.rglob("*.png"))[0]
    code = (
        "import sys; from mmpose.apis import MMPoseInferencer\n"
        "config, weights, picture, out = sys.argv[1:]\n"
        "inferencer = MMPoseInferencer(pose2d=config, pose2d_weights=weights, device='cpu')\n"
        "result = next(inferencer(picture, out_dir=out))\n"
        "print('people', len(result['predictions'][0]))\n"
    )
    arguments = [str(CONFIG), str(trained / "epoch_2.pth"), str(picture), str(tmp_path / "out")]
    assert "people" in _run([sys.executable, "-c", code, *arguments], tmp_path).stdout
    cv2 = pytest.importorskip("cv2")
    drawn = cv2.imread(str(tmp_path / "out/visualizations" / picture.name))
    assert drawn.shape == (240, 320, 3) and drawn.std() > 10


class Evil:
    def __init__(self, marker: Path):
        self.command = f"touch {marker}"

    def __reduce__(self):
        return os.system, (self.command,)


def test_stock_test_refuses_a_checkpoint_that_would_execute_code(data, tmp_path):
    marker, path = tmp_path / "executed", tmp_path / "evil.pth"
    torch.save({"state_dict": {}, "meta": Evil(marker)}, path)
    done = _run(_test_command(data, path, tmp_path / "out"), tmp_path, ok=False)
    assert done.returncode != 0 and not marker.exists()
    assert "UnsafeCheckpointError" in done.stderr and "system" in done.stderr
    with zipfile.ZipFile(path) as archive:  # the file would indeed have done it
        (name,) = (name for name in archive.namelist() if name.endswith("data.pkl"))
        pickle.loads(archive.read(name))
    assert marker.exists()
