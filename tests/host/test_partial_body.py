"""The hosts' own tools run the partial-body configs, unmodified and in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
mmpose = pytest.importorskip("mmpose")

from orplugins.io.video import read_image, write_image  # noqa: E402
from orplugins.partial_body.view_sets import write_views  # noqa: E402
from orplugins.synthetic.export.mvor_layout import write_dataset  # noqa: E402

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(mmpose.__file__).parent / ".mim" / "tools"
CONFIG = ROOT / "configs/mmpose/partial_body/vitpose-t_people-states_128x96.py"
DETECTOR = ROOT / "configs/detectron2/partial_body/faster_rcnn_R_101_FPN_partial_body.yaml"
TIMEOUT = 300


def run(command: list, cwd: Path, ok: bool = True, **environment) -> subprocess.CompletedProcess:
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    env = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg", **environment}
    done = subprocess.run([*map(str, command)], cwd=cwd, env=env, capture_output=True, text=True, timeout=TIMEOUT)
    assert (done.returncode == 0) == ok, done.stdout[-2000:] + done.stderr[-4000:]
    return done


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("partial_people")
    write_dataset(out / "depth", 6, seed=3, size=(160, 120), people=(1, 3))
    truth = out / "depth/annotations/coco17.json"
    counts, problems = write_views(truth, out / "depth", out / "views", ("whole", "waist"))
    assert not problems and counts["whole"] >= counts["waist"] > 0
    return out / "views"


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory) -> Path:
    """Checkpoint of one epoch by the stock train.py."""
    out = tmp_path_factory.mktemp("train")
    run(
        [
            sys.executable,
            TOOLS / "train.py",
            CONFIG,
            "--work-dir",
            out,
            "--cfg-options",
            f"train_dataloader.dataset.data_root={data}/",
            f"val_dataloader.dataset.data_root={data}/",
            f"val_evaluator.0.ann_file={data}/annotations/whole.json",
            "train_dataloader.batch_size=4",
            "model.backbone.depth=1",
            "train_cfg.max_epochs=1",
            "train_cfg.val_interval=1",
            "randomness.seed=0",
        ],
        out,
    )
    return out / "epoch_1.pth"


def test_stock_test_on_a_partial_view(data, trained, tmp_path):
    truth = data / "annotations/waist.json"
    run(
        [
            sys.executable,
            TOOLS / "test.py",
            CONFIG,
            trained,
            "--work-dir",
            tmp_path,
            "--out",
            tmp_path / "metrics.json",
            "--cfg-options",
            f"test_dataloader.dataset.data_root={data}/",
            f"test_dataloader.dataset.ann_file={truth}",
            f"test_evaluator.0.ann_file={truth}",
            "model.backbone.depth=1",
        ],
        tmp_path,
    )
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert {"coco/AP", "PCK", "state/accuracy"} <= set(metrics)


def test_inferencer_on_an_ordinary_picture(data, trained, tmp_path):
    code = (
        "import sys; from mmpose.apis import MMPoseInferencer\n"
        "config, weights, picture, out = sys.argv[1:]\n"
        "inferencer = MMPoseInferencer(pose2d=config, pose2d_weights=weights, device='cpu')\n"
        "result = next(inferencer(picture, out_dir=out))\n"
        "print('joints', len(result['predictions'][0][0]['keypoints']))\n"
    )
    config = tmp_path / "tiny.py"
    config.write_text(f"_base_ = ['{CONFIG}']\nmodel = dict(backbone=dict(depth=1))\n")
    picture = sorted((data / "images/whole").glob("*.png"))[0]
    done = run([sys.executable, "-c", code, config, trained, picture, tmp_path / "out"], tmp_path)
    assert "joints 17" in done.stdout
    assert list((tmp_path / "out/visualizations").iterdir())


def test_inferencer_with_the_shipped_weights(tmp_path):
    """mmpose's own inferencer on an ordinary picture, one person in the whole of it: half of what is seen is found."""
    write_dataset(tmp_path / "room", 1, seed=9006, size=(320, 240), people=(2, 3), color=True)
    truth = json.loads((tmp_path / "room/annotations/coco17_color.json").read_text())
    person = max(truth["annotations"], key=lambda a: a["keypoints"][2::3].count(2))
    x, y, w, h = (int(value) for value in person["bbox"])
    file = {image["id"]: image["file_name"] for image in truth["images"]}[person["image_id"]]
    write_image(tmp_path / "person.png", read_image(tmp_path / "room" / file)[y : y + h, x : x + w])
    code = (
        "import json, sys; from mmpose.apis import MMPoseInferencer\n"
        "config, weights, picture, out = sys.argv[1:]\n"
        "inferencer = MMPoseInferencer(pose2d=config, pose2d_weights=weights, device='cpu')\n"
        "result = next(inferencer(picture, out_dir=out))['predictions'][0][0]\n"
        "open(out + '/joints.json', 'w').write(json.dumps([result['keypoints'], result['keypoint_scores']]))\n"
    )
    weights = ROOT / "demo/vitpose-t_people-states.safetensors"
    run([sys.executable, "-c", code, CONFIG, weights, tmp_path / "person.png", tmp_path], tmp_path)
    found, scores = map(np.array, json.loads((tmp_path / "joints.json").read_text()))
    joints = np.array(person["keypoints"]).reshape(-1, 3)
    near = np.linalg.norm(found - (joints[:, :2] - (x, y)), axis=1) < 0.2 * max(w, h)
    assert scores.shape == (17,) and near[joints[:, 2] == 2].mean() > 0.5
    assert list((tmp_path / "visualizations").iterdir())


def test_stock_train_net_refuses_random_boxes(data, tmp_path):
    pytest.importorskip("detectron2")
    folder = tmp_path / "sets/partial_body"
    write_image(folder / "images/a.jpg", np.zeros((64, 64, 3), np.uint8))
    (folder / "annotations").mkdir()
    (folder / "annotations/val.json").write_text(
        json.dumps(
            {
                "images": [{"id": 1, "file_name": "a.jpg", "width": 64, "height": 64}],
                "annotations": [
                    {"id": 1, "image_id": 1, "category_id": 1, "bbox": [5, 5, 40, 40], "area": 1600, "iscrowd": 0}
                ],
                "categories": [{"id": 1, "name": "patient"}, {"id": 2, "name": "user"}],
            }
        )
    )
    options = [
        "MODEL.DEVICE",
        "cpu",
        "MODEL.RESNETS.DEPTH",
        "50",
        "INPUT.MIN_SIZE_TEST",
        "64",
        "DATALOADER.NUM_WORKERS",
        "0",
        "OUTPUT_DIR",
        str(tmp_path / "out"),
    ]
    done = run(
        [sys.executable, "-m", "tools.train_net", "--config-file", DETECTOR, "--eval-only", *options],
        tmp_path,
        ok=False,
        DETECTRON2_ENV_MODULE="orplugins.detectron2.env",
        DETECTRON2_DATASETS=str(tmp_path / "sets"),
    )
    assert "MODEL.WEIGHTS is empty" in done.stderr
