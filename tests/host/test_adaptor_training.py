"""AdaptOR through tools/train_net.py and detectron2's own script: resume after a kill, two processes, bad input."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from adaptor_network import NARROW
from adaptor_sets import labelled_set

torch = pytest.importorskip("torch")
pytest.importorskip("detectron2")

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "configs/detectron2/adaptor"
TIMEOUT = 300
# Half of the pictures with labels; two steps of burn-in; any detection of an untaught network is a label.
MUTUAL = ["DATALOADER.SUP_PERCENT", "50.0", "DATALOADER.RANDOM_DATA_SEED_PATH", "", "SOLVER.IMS_PER_BATCH_LBL", "1",
          "SOLVER.IMS_PER_BATCH_UNLBL", "2", "UDA.TRAIN_SUP_ITER", "2", "UDA.BBOX_THRESHOLD", "0.2",
          "SOLVER.EMA_DECAY", "0.5", "SOLVER.MAX_ITER", "6", "SOLVER.CHECKPOINT_PERIOD", "2"]  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """people.json and images/."""
    folder = tmp_path_factory.mktemp("people") / "set"
    labelled_set(folder, 6)
    return folder


def environment(data: Path, **extra: str) -> dict:
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    sets = f"host_people={data / 'people.json'},{data / 'images'};host_pictures={data / 'images'}"
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "ORPLUGINS_ADAPTOR_SETS": sets, **extra}


def run(command: list[str], cwd: Path, env: dict, code: int = 0) -> str:
    done = subprocess.run([sys.executable, *command], cwd=cwd, env=env, text=True, capture_output=True, timeout=TIMEOUT)
    assert done.returncode == code, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout + done.stderr


def train_net(out: Path, config: str, *options: str, arguments: tuple[str, ...] = ()) -> list[str]:
    sets = ["DATASETS.TRAIN", "('host_people',)", "DATASETS.TEST", "('host_people',)", "OUTPUT_DIR", str(out)]
    command = [str(ROOT / "tools/train_net.py"), "--num-gpus", "0", "--config-file", str(CONFIGS / config)]
    return [*command, *arguments, *NARROW, *sets, *options]


PUBLISHED = "kmrcnn_R_50_FPN_3x_gn_amp_sup1.yaml"


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("unbroken")
    text = run(train_net(out, PUBLISHED, *MUTUAL), out, environment(data))
    assert "loss_mask_unlabel" in text and "adaptor/labels_per_picture" in (out / "metrics.json").read_text()
    return out


def weights(folder: Path) -> dict:
    return torch.load(folder / "model_final.pth", weights_only=False)


def metrics(folder: Path) -> dict:
    rows = [json.loads(line) for line in (folder / "metrics.json").read_text().splitlines()]
    return {key: value for row in rows for key, value in row.items()}


def test_teacher_and_student_learn(trained):
    content = weights(trained)
    assert content["model"].keys() == content["student"].keys()
    moved = [name for name, value in content["model"].items() if not torch.equal(value, content["student"][name])]
    assert "backbone.bottom_up.stem.conv1.weight" in moved
    found = metrics(trained)
    assert found["adaptor/labels_per_picture"] > 0 and found["loss_cls_unlabel"] > 0


def test_a_killed_run_goes_on_to_the_same_weights(data, trained, tmp_path):
    process = subprocess.Popen(
        [sys.executable, *train_net(tmp_path, PUBLISHED, *MUTUAL)],
        cwd=tmp_path,
        env=environment(data),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + TIMEOUT
        while not (tmp_path / "model_0000003.pth").exists():  # in the middle of the mutual phase
            assert process.poll() is None and time.monotonic() < end, "no checkpoint"
            time.sleep(0.002)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (tmp_path / "model_final.pth").exists()
    (tmp_path / "last_checkpoint").write_text("model_0000003.pth")  # it may have been killed before it noted this one
    run(train_net(tmp_path, PUBLISHED, *MUTUAL, arguments=("--resume",)), tmp_path, environment(data))
    unbroken, resumed = weights(trained), weights(tmp_path)
    for part in ("model", "student"):
        assert not [name for name in unbroken[part] if not torch.equal(unbroken[part][name], resumed[part][name])]
    one, two = (content["trainer"]["_trainer"]["optimizer"]["state"] for content in (unbroken, resumed))
    assert all(torch.equal(one[key]["momentum_buffer"], two[key]["momentum_buffer"]) for key in one)


SPLIT = ["MODEL.META_ARCHITECTURE", "GeneralizedRCNNSplitGN", "MODEL.USE_SPLIT_GROUP_NORM", "True",
         "ORPLUGINS.ADAPTOR.FALLBACK", "corrected", "ORPLUGINS.ADAPTOR.MASK_TARGETS", "aligned",
         "ORPLUGINS.ADAPTOR.INFER_BRANCH", "aux"]  # fmt: skip


def adapt(out: Path, source: Path, *options: str) -> list[str]:
    changes = [*SPLIT, "UDA.TYPE", "uda_or", "DATASETS.TRAIN_LBL", "('host_people',)", "DATASETS.TRAIN_UNLBL",
               "('host_pictures',)", "UDA.TRAIN_SUP_ITER", "0", "UDA.KEYPOINT_THRESHOLD", "0.0", "SOLVER.MAX_ITER", "2",
               "MODEL.WEIGHTS", str(source / "model_final.pth")]  # fmt: skip
    return train_net(out, PUBLISHED, *MUTUAL, *changes, *options)


def test_adaptation_with_a_pair_a_domain(data, trained, tmp_path):
    run(adapt(tmp_path, trained, "TEST.EVAL_PERIOD", "2"), tmp_path, environment(data))
    content, source = weights(tmp_path), weights(trained)["model"]
    pairs = [name for name in content["student"] if ".aux_bn." in name]
    norms = [name for name in source if name.startswith("backbone.") and ".norm." in name]
    assert len(pairs) == len(norms) > 100 and content["model"].keys() - set(pairs) == source.keys()
    name = "backbone.bottom_up.stem.conv1.norm.aux_bn.0.weight"
    assert not torch.equal(content["student"][name], content["student"][name.replace("aux_bn.0.", "")])
    found = metrics(tmp_path)
    assert {"bbox/AP", "segm/AP", "keypoints/AP"} <= found.keys() and found["loss_mask_unlabel"] > 0
    assert found["loss_keypoint_unlabel"] > 0 and found["adaptor/joints_above_threshold"] == 1
    # Weights with a pair a domain are not those of a network with one.
    plain = ["MODEL.WEIGHTS", str(tmp_path / "model_final.pth")]
    command = train_net(tmp_path / "plain", PUBLISHED, *MUTUAL, *plain, arguments=("--eval-only",))
    text = run(command, tmp_path, environment(data), code=1)
    assert "has a pair of normalisation for each of two domains" in text and "USE_SPLIT_GROUP_NORM" in text


def test_the_stock_script_trains_the_supervised_config(data, tmp_path):
    config = str(CONFIGS / "kmrcnn_R_50_FPN_3x_gn_amp_sup100.yaml")
    command = ["-m", "tools.train_net", "--num-gpus", "0", "--config-file", config, *NARROW]
    sets = ["DATASETS.TRAIN", "('host_people',)", "DATASETS.TEST", "('host_people',)", "SOLVER.MAX_ITER", "1"]
    more = ["SOLVER.IMS_PER_BATCH", "2", "SOLVER.AMP.ENABLED", "False", "OUTPUT_DIR", str(tmp_path)]
    door = {"DETECTRON2_ENV_MODULE": "orplugins.detectron2.env"}
    text = run([*command, *sets, *more], tmp_path, environment(data, **door))
    assert "loss_mask" in text and (tmp_path / "model_final.pth").is_file()


TWO_PROCESSES = """
import dataclasses, json, os, random, sys
import numpy as np
import torch
from detectron2.utils import comm
from detectron2.utils.events import EventStorage
from torch.nn.parallel import DistributedDataParallel
import orplugins
from orplugins.adaptor.detectron2.loader import build_adaptor_train_loader
from orplugins.adaptor.detectron2.mapper import TwoViewMapper
from orplugins.adaptor.detectron2.mutual import MutualTrainer
from orplugins.adaptor.detectron2.teacher import Labelling, build_teacher
from orplugins.adaptor.detectron2.trainer import AdaptorTrainer, read_config, settings_of
from orplugins.adaptor.pseudo_labels import Thresholds

rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
cfg = read_config(sys.argv[1], sys.argv[3:])
torch.manual_seed(0)
model = AdaptorTrainer.build_model(cfg).train()
teacher = build_teacher(model)
optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
if world > 1:
    torch.distributed.init_process_group("gloo")
    comm.create_local_process_group(world)
    model = DistributedDataParallel(model)
views = TwoViewMapper(cfg)
def same(record):  # a picture's views do not depend on the process that makes them
    seed = sum(os.path.basename(record["file_name"]).encode())
    random.seed(seed), np.random.seed(seed)
    return views(record)
trainer = MutualTrainer(model, teacher, build_adaptor_train_loader(cfg, same), optimizer, settings_of(cfg))
history = []
for step in range(3):
    trainer.iter = step
    if step == 2 and rank == 1:  # it finds nobody, the other one does
        trainer.settings = dataclasses.replace(trainer.settings, labelling=Labelling(Thresholds(box=2.0)))
    with EventStorage(step) as storage:
        trainer.run_step()
        history.append({key: value for key, (value, _) in storage.latest().items() if "loss" in key})
weights = torch.cat([value.flatten().double() for value in trainer.student.state_dict().values()])
norms = comm.all_gather(float((weights**2).sum()))
if rank == 0:
    json.dump(dict(history=history, norms=norms), open(sys.argv[2], "w"))
"""


def test_two_processes_train_as_one_with_the_doubled_batch(data, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(TWO_PROCESSES)
    # Every anchor and proposal is taken, so that nothing is drawn at random; all pictures are of one size, so that none
    # is padded for the sake of another.
    changes = ["DATASETS.TRAIN", "('host_people',)", "MODEL.RPN.BATCH_SIZE_PER_IMAGE", "100000",
               "MODEL.ROI_HEADS.BATCH_SIZE_PER_IMAGE", "100000", "MODEL.ROI_HEADS.POSITIVE_FRACTION", "0.5",
               "UDA.TRAIN_SUP_ITER", "0", "SOLVER.IMS_PER_BATCH_LBL", "2", "SOLVER.IMS_PER_BATCH_UNLBL", "4",
               "INPUT.MIN_SIZE_TRAIN", "(64,)", *SPLIT]  # fmt: skip
    arguments = [str(script), str(CONFIGS / PUBLISHED)]
    tail = [*NARROW, *MUTUAL, *changes]
    run([*arguments, "one.json", *tail], tmp_path, environment(data))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    launcher = ["-m", "torch.distributed.run", "--nproc_per_node=2", "--master_addr=127.0.0.1", f"--master_port={port}"]
    run([*launcher, *arguments, "two.json", *tail], tmp_path, environment(data))
    one, two = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("one", "two"))
    # The host's losses are means over each process's proposals, joints or people, whose numbers differ: the weights
    # differ a little after the first step.
    for step, rtol, atol in ((0, 2e-3, 1e-6), (1, 5e-3, 1e-4)):
        for name, value in one["history"][step].items():
            np.testing.assert_allclose(two["history"][step][name], value, rtol, atol, err_msg=f"{name}, step {step}")
    assert two["norms"][0] == two["norms"][1]
