"""The hosts' own scripts and inferencers, given weights that would run code: nothing runs, and the file is named.

torch.load is set to what it was up to 2.5, where it runs what a file names; the older stack has no other.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from crafted import Canary, maker
from people_files import toy

torch = pytest.importorskip("torch")

from orplugins.synthetic.export.mvor_layout import write_dataset  # noqa: E402

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
DEPTH = ROOT / "configs/mmpose/depthpose/depthpose_tiny-64x48.py"
COLOUR = ROOT / "configs/detectron2/orpose_color"
DOOR = {"DETECTRON2_ENV_MODULE": "orplugins.detectron2.env"}
TIMEOUT = 300


@pytest.fixture(scope="module")
def canary(tmp_path_factory) -> Canary:
    return Canary(tmp_path_factory.mktemp("canary"))


@pytest.fixture(scope="module")
def crafted(canary, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("crafted")
    maker().write_crafted(folder)
    canary.sang()
    return folder


@pytest.fixture(scope="module")
def statistics(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("toy")
    toy(folder, 1)
    return folder / "statistics.json"


def run(command: list, cwd: Path, canary: Canary, door: bool = False) -> str:
    """What a process that must fail printed, without making the canary."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    env = {**os.environ, **canary.environment, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg",
           "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1", **(DOOR if door else {})}  # fmt: skip
    done = subprocess.run([sys.executable, *map(str, command)], cwd=cwd, env=env, text=True, capture_output=True,
                          timeout=TIMEOUT)  # fmt: skip
    assert done.returncode, done.stdout[-2000:]
    assert not canary.sang()
    return done.stderr


def refusal(text: str) -> str:
    """The last line, which must be our reader's."""
    last = text.strip().splitlines()[-1]
    assert "UnsafeCheckpointError: checkpoint " in last or "ValueError: checkpoint " in last, text[-3000:]
    return last


def test_mmposes_test_script(crafted, canary, tmp_path):
    mmpose = pytest.importorskip("mmpose")
    script = Path(mmpose.__file__).parent / ".mim/tools/test.py"
    options = ["--cfg-options", "test_dataloader.num_workers=0", "test_dataloader.persistent_workers=False"]
    write_dataset(tmp_path / "data", 2, seed=3, size=(320, 240), people=(1, 1))
    options += [f"test_dataloader.dataset.data_root={tmp_path / 'data'}/",
                f"test_evaluator.ann_file={tmp_path / 'data/annotations/mvor.json'}"]  # fmt: skip
    evil = crafted / "archive_getattr_left_below.pth"
    assert evil.name in refusal(run([script, DEPTH, evil, "--work-dir", tmp_path, *options], tmp_path, canary))


INFERENCERS = """
import sys
import orplugins
from mmpose.apis import MMPoseInferencer
from mmpose.apis.inferencers import Pose2DInferencer
config, *files = sys.argv[1:]
for file in files:
    for make in (
        lambda: MMPoseInferencer(pose2d=config, pose2d_weights=file, device="cpu"),
        lambda: Pose2DInferencer(model=config, weights=file, device="cpu"),
        lambda: Pose2DInferencer(model=None, weights=file, device="cpu"),
    ):
        try:
            make()
        except ValueError as error:
            assert file in str(error), error
        else:
            raise SystemExit(0)
raise SystemExit("all refused")
"""


def test_mmposes_inferencers_also_without_a_config(crafted, canary, tmp_path):
    pytest.importorskip("mmpose")
    names = ("archive_getattr_left_below.pth", "zip_evil_in_comment.pth", "stream_evil_in_3.pth", "pickle_named.pyth")
    text = run(["-c", INFERENCERS, DEPTH, *(crafted / name for name in names)], tmp_path, canary)
    assert text.strip().endswith("all refused")


def narrow(statistics: Path, out: Path) -> list[str]:
    return ["MODEL.DEVICE", "cpu", "OUTPUT_DIR", str(out), "DATASETS.H36_STATS_PATH", str(statistics),
            "MODEL.ROI_KEYPOINTS3D_HEAD.CONV_DIMS", "[16]", "ORPLUGINS.ORPOSE_COLOR.LIFTER_WIDTH", "16"]  # fmt: skip


@pytest.mark.parametrize("resume", [False, True], ids=["with a query", "last_checkpoint"])
def test_detectron2s_train_net(resume, crafted, statistics, canary, tmp_path):
    pytest.importorskip("detectron2")
    evil = crafted / "archive_reduce.pth"
    command = ["-m", "tools.train_net", "--num-gpus", "0", "--eval-only", "--config-file", COLOUR / "orpose_tiny.yaml"]
    weights = f"{evil}?matching_heuristics=True"
    if resume:
        (tmp_path / "last_checkpoint").write_text(str(evil))
        command, weights = [*command, "--resume"], ""
    text = run([*command, *narrow(statistics, tmp_path), "MODEL.WEIGHTS", weights], tmp_path, canary, door=True)
    assert evil.name in refusal(text)


def test_detectron2s_lazy_train_net(crafted, statistics, canary, tmp_path):
    pytest.importorskip("detectron2")
    evil = crafted / "pickle_reduce.pkl"
    changes = [f"train.init_checkpoint={evil}", "train.device=cpu", f"train.output_dir={tmp_path}",
               "model.roi_heads.keypoint_head.conv_dims=[8]", "model.roi_heads.keypoint_head.lifter_width=8",
               f"model.roi_heads.keypoint_head.statistics={statistics}",
               f"dataloader.train.mapper.statistics={statistics}"]  # fmt: skip
    command = ["-m", "tools.lazyconfig_train_net", "--num-gpus", "0", "--eval-only", "--config-file",
               COLOUR / "orpose_fixed_12x_lazy.py"]  # fmt: skip
    assert evil.name in refusal(run([*command, *changes], tmp_path, canary, door=True))


PREDICTOR = """
import sys
import orplugins, detectron2
from detectron2.config import get_cfg
from detectron2.engine import DefaultPredictor
cfg = get_cfg()
cfg.MODEL.DEVICE, cfg.MODEL.WEIGHTS = "cpu", sys.argv[1]
cfg.MODEL.RESNETS.STEM_OUT_CHANNELS, cfg.MODEL.RESNETS.RES2_OUT_CHANNELS = 8, 16
DefaultPredictor(cfg)
"""


def test_detectron2s_predictor_with_a_config_of_its_own(crafted, canary, tmp_path):
    pytest.importorskip("detectron2")
    evil = crafted / "stream_reduce.pth"
    assert evil.name in refusal(run(["-c", PREDICTOR, f"{evil}?matching_heuristics=True"], tmp_path, canary))
