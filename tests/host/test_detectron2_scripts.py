"""ORPose-Color through detectron2's unmodified scripts and our tools, in processes of their own."""

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
from people_files import labels, toy

torch = pytest.importorskip("torch")
pytest.importorskip("detectron2")
cv2 = pytest.importorskip("cv2")

from orplugins.io.coco_people import load_people  # noqa: E402
from orplugins.orpose_color.annotations import lifting_pairs  # noqa: E402
from orplugins.orpose_color.statistics import load_statistics  # noqa: E402
from orplugins.orpose_color.train_lifter import fit_lifter  # noqa: E402

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "configs/detectron2/orpose_color"
TIMEOUT = 300
NARROW = ["MODEL.DEVICE", "cpu", "MODEL.RESNETS.STEM_OUT_CHANNELS", "8", "MODEL.RESNETS.RES2_OUT_CHANNELS", "16",
          "MODEL.RESNETS.WIDTH_PER_GROUP", "4", "MODEL.FPN.OUT_CHANNELS", "16", "MODEL.ROI_BOX_HEAD.FC_DIM", "16",
          "MODEL.ROI_KEYPOINTS3D_HEAD.CONV_DIMS", "[16]", "ORPLUGINS.ORPOSE_COLOR.LIFTER_WIDTH", "16",
          "SOLVER.IMS_PER_BATCH", "2", "SOLVER.CHECKPOINT_PERIOD", "2", "SEED", "1"]  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """annotations.json, labels.json, statistics.json, lifter.pth, images/."""
    folder = tmp_path_factory.mktemp("toy")
    truth = toy(folder, 5)
    statistics = load_statistics(folder / "statistics.json")
    labels(truth, folder / "labels.json", statistics)
    network = fit_lifter(*lifting_pairs(truth), statistics, image_width=96, width=16, epochs=1)
    torch.save(network.state_dict(), folder / "lifter.pth")
    return folder


def options(data: Path, out: Path, *more: str) -> list[str]:
    return [*NARROW, "DATASETS.H36_STATS_PATH", str(data / "statistics.json"), "OUTPUT_DIR", str(out), *more]


def environment(data: Path, **extra: str) -> dict:
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    images = data / "images"
    names = f"host_train={data / 'labels.json'},{images};host_test={data / 'annotations.json'},{images}"
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "ORPLUGINS_DATASETS": names, **extra}


def run(command: list[str], cwd: Path, env: dict, code: int = 0) -> str:
    done = subprocess.run([sys.executable, *command], cwd=cwd, env=env, text=True, capture_output=True, timeout=TIMEOUT)
    assert done.returncode == code, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout + done.stderr


DOOR = {"DETECTRON2_ENV_MODULE": "orplugins.detectron2.env"}


def test_stock_train_net_trains_and_evaluates_the_student(data, tmp_path):
    out = tmp_path / "out"
    sets = ["DATASETS.TRAIN", "('host_train',)", "DATASETS.TEST", "('host_test',)", "SOLVER.MAX_ITER", "2"]
    command = ["-m", "tools.train_net", "--num-gpus", "0", "--config-file", str(CONFIGS / "orpose_tiny.yaml")]
    text = run([*command, *options(data, out, *sets)], tmp_path, environment(data, **DOOR))
    assert "loss_keypoints_3D_soft" in text and (out / "model_final.pth").is_file()
    assert "keypoints" in text or "No predictions" in text or "Evaluation results for bbox" in text


def test_stock_lazyconfig_train_net(data, tmp_path):
    config = str(CONFIGS / "orpose_fixed_12x_lazy.py")
    changes = [
        "dataloader.train.dataset.names=host_train",
        "dataloader.test.dataset.names=host_test",
        "dataloader.train.total_batch_size=1",
        "dataloader.train.num_workers=0",
        "dataloader.test.num_workers=0",
        f"dataloader.train.mapper.statistics={data / 'statistics.json'}",
        "train.device=cpu",
        "train.max_iter=1",
        f"train.output_dir={tmp_path}",
        "train.init_checkpoint=",
        "model.roi_heads.keypoint_head.conv_dims=[8]",
        "model.roi_heads.keypoint_head.lifter_width=8",
        f"model.roi_heads.keypoint_head.statistics={data / 'statistics.json'}",
        "model.roi_heads.box_head.fc_dims=[16]",
        "model.roi_heads.box_predictor.input_shape.channels=16",
        "model.proposal_generator.pre_nms_topk=[50,50]",
        "model.proposal_generator.post_nms_topk=[20,10]",
        "optimizer.lr=0.0001",
        "train.eval_period=1",
        "train.checkpointer.period=1000",
    ]
    command = ["-m", "tools.lazyconfig_train_net", "--num-gpus", "0", "--config-file", config]
    text = run([*command, *changes], tmp_path, environment(data, **DOOR))
    assert "MPJPE" in text


def train_net(data: Path, out: Path, *arguments: str) -> list[str]:
    images = str(data / "images")
    sets = [
        "DATASETS.TRAIN_SET_NAME",
        "own_train",
        "DATASETS.TRAIN_SET_JSON",
        str(data / "labels.json"),
        "DATASETS.TRAIN_SET_IMGDIR",
        images,
        "DATASETS.TEST_SET_NAME",
        "own_test",
        "DATASETS.TEST_SET_JSON",
        str(data / "annotations.json"),
        "DATASETS.TEST_SET_IMGDIR",
        images,
    ]
    return [
        str(ROOT / "tools/train_net.py"),
        "--num-gpus",
        "0",
        "--config-file",
        str(CONFIGS / "orpose_tiny.yaml"),
        *arguments,
        *options(data, out, "SOLVER.MAX_ITER", "5", *sets),
    ]


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("unbroken")
    text = run(train_net(data, out), out, environment(data))
    assert "MPJPE on own_test" in text and "PCK on own_test" in text
    return out


def test_a_killed_run_goes_on_to_the_same_weights(data, trained, tmp_path):
    process = subprocess.Popen(
        [sys.executable, *train_net(data, tmp_path)],
        cwd=tmp_path,
        env=environment(data),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        note, end = tmp_path / "last_checkpoint", time.monotonic() + TIMEOUT
        while not note.exists():
            assert process.poll() is None and time.monotonic() < end, "no checkpoint"
            time.sleep(0.002)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (tmp_path / "model_final.pth").exists()
    run(train_net(data, tmp_path, "--resume"), tmp_path, environment(data))
    unbroken, resumed = (
        torch.load(folder / "model_final.pth", weights_only=False)["model"] for folder in (trained, tmp_path)
    )
    assert unbroken.keys() == resumed.keys()
    assert not [name for name in unbroken if not torch.equal(unbroken[name], resumed[name])]


def test_evaluation_alone_and_weights_that_do_not_fit(data, trained, tmp_path):
    weights = ["MODEL.WEIGHTS", str(trained / "model_final.pth")]
    text = run([*train_net(data, tmp_path, "--eval-only"), *weights], tmp_path, environment(data))
    assert "MPJPE on own_test" in text
    wider = [*weights, "MODEL.ROI_KEYPOINTS3D_HEAD.CONV_DIMS", "[24]"]
    text = run([*train_net(data, tmp_path, "--eval-only"), *wider], tmp_path, environment(data), code=1)
    assert "error: checkpoint" in text and "is for another model" in text and "Traceback" not in text


def label_command(data: Path, trained: Path, out: Path, *images: str) -> list[str]:
    config = data / "teacher.yaml"
    config.write_text(f"_BASE_: {CONFIGS / 'orpose_tiny.yaml'}\n")
    from orplugins.orpose_color.detectron2.trainer import read_config

    cfg = read_config(str(config), options(data, out, "MODEL.WEIGHTS", str(trained / "model_final.pth")), train=False)
    config.write_text(cfg.dump())
    return [
        str(ROOT / "tools/pseudo_label.py"),
        *images,
        "--out",
        str(out),
        "--detector",
        str(config),
        "--pose",
        str(config),
        "--lifter",
        str(data / "lifter.pth"),
        "--statistics",
        str(data / "statistics.json"),
        "--device",
        "cpu",
        "--det-threshold",
        "0.05",
        "--hard-threshold",
        "0.01",
        "--batch",
        "2",
    ]


def test_labels_by_two_processes_are_those_of_one(data, trained, tmp_path):
    images = tmp_path / "frames"
    images.mkdir()
    for path in sorted((data / "images").iterdir()):
        (images / path.name).write_bytes(path.read_bytes())
    (images / "broken.png").write_bytes(b"no picture")
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    text = run(label_command(data, trained, one, str(images)), tmp_path, environment(data), code=1)
    assert "broken.png: " in text and "1 of 6 pictures failed" in text
    launcher = [
        "-m",
        "torch.distributed.run",
        "--nproc_per_node=2",
        "--master_addr=127.0.0.1",
        f"--master_port={free_port()}",
    ]
    done = subprocess.run(
        [sys.executable, *launcher, *label_command(data, trained, two, str(images))],
        cwd=tmp_path,
        env=environment(data),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert done.returncode == 1, done.stderr[-3000:]  # the broken picture
    assert one.read_text() == two.read_text()
    found = load_people(one)
    assert len(found["images"]) == 5 and found["info"]["format"] == "orplugins-orpose-pseudo"


TWO_PROCESSES = """
import json, os, sys
import torch
from detectron2.modeling import build_model
from detectron2.utils.events import EventStorage
from torch.nn.parallel import DistributedDataParallel
import orplugins
from orplugins.orpose_color.detectron2.mapper import MVORDatasetMapper
from orplugins.orpose_color.detectron2.trainer import read_config
from detectron2.data import DatasetCatalog

rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
cfg = read_config(sys.argv[1], sys.argv[3:])
torch.manual_seed(0)
model = build_model(cfg).train()
for module in model.modules():  # no randomness; batch norm would see each process's rows only
    if isinstance(module, torch.nn.Dropout):
        module.p = 0.0
    if isinstance(module, torch.nn.BatchNorm1d):
        module.eval()
if world > 1:
    torch.distributed.init_process_group("gloo")
    model = DistributedDataParallel(model)
mapper = MVORDatasetMapper(False, factor=2.0)
batch = [mapper(record) for record in DatasetCatalog.get("host_train")[:4]][rank::world]
optimiser = torch.optim.SGD(model.parameters(), lr=1e-4)
history = []
for step in range(2):
    with EventStorage():
        losses = model(batch)
    optimiser.zero_grad()
    sum(losses.values()).backward()
    optimiser.step()
    values = torch.stack([losses[name].detach() for name in sorted(losses)])
    if world > 1:
        torch.distributed.all_reduce(values)
    history.append(dict(zip(sorted(losses), (values / world).tolist())))
if rank == 0:
    json.dump(history, open(sys.argv[2], "w"))
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_two_processes_train_as_one_with_the_doubled_batch(data, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(TWO_PROCESSES)
    # Every anchor and proposal is taken, so that nothing is drawn at random.
    changes = [
        "MODEL.RPN.BATCH_SIZE_PER_IMAGE",
        "100000",
        "MODEL.ROI_HEADS.BATCH_SIZE_PER_IMAGE",
        "100000",
        "MODEL.RESNETS.NORM",
        "FrozenBN",
        "MODEL.FPN.NORM",
        "",
        "MODEL.ROI_HEADS.POSITIVE_FRACTION",
        "0.5",
    ]
    arguments = [str(script), str(CONFIGS / "orpose_tiny.yaml")]
    tail = options(data, tmp_path, *changes)
    run([*arguments, "one.json", *tail], tmp_path, environment(data))
    launcher = [
        "-m",
        "torch.distributed.run",
        "--nproc_per_node=2",
        "--master_addr=127.0.0.1",
        f"--master_port={free_port()}",
    ]
    run([*launcher, *arguments, "two.json", *tail], tmp_path, environment(data))
    one, two = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("one", "two"))
    for step, (alone, together) in enumerate(zip(one, two, strict=True)):
        for name, value in alone.items():
            # The host's own box losses are means over each process's proposals, whose numbers differ.
            tolerance = 0.05 if name in ("loss_cls", "loss_box_reg") else 1e-3
            np.testing.assert_allclose(together[name], value, rtol=tolerance, err_msg=f"{name}, step {step}")


def test_inference_on_pictures_of_any_size(data, trained, tmp_path):
    frames = tmp_path / "frames"
    frames.mkdir()
    first = cv2.imread(str(sorted((data / "images").iterdir())[0]))
    for name, picture in (("a.png", first), ("b.png", cv2.resize(first, (53, 40))), ("c.png", first[:1, :1])):
        cv2.imwrite(str(frames / name), picture)
    (frames / "d.png").write_bytes(b"no picture")
    out = tmp_path / "poses"
    label_command(data, trained, tmp_path / "unused.json")
    command = [
        str(ROOT / "tools/infer_color.py"),
        str(frames),
        "--config",
        str(data / "teacher.yaml"),
        "--weights",
        str(trained / "model_final.pth"),
        "--out",
        str(out),
        "--size",
        "96x72",
        "--threshold",
        "0.0",
        "--device",
        "cpu",
    ]
    text = run(command, tmp_path, environment(data), code=1)
    assert "3 pictures" in text and "failed" in text and "d.png" in text
    result = json.loads((out / "poses.json").read_text())
    assert [(image["width"], image["height"]) for image in result["images"]] == [(96, 72), (53, 40), (1, 1)]
    assert all(len(p["keypoints"]) == len(p["h36m_3d"]) == 51 for p in result["annotations"])
    assert all(np.array(p["h36m_3d"])[:3].tolist() == [0, 0, 0] for p in result["annotations"])
    assert len(list((out / "overlays").glob("*.png"))) == 3
    video = cv2.VideoCapture(str(out / "poses.mp4"))
    assert sum(video.read()[0] for _ in range(3)) == 3
