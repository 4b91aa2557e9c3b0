"""Every detectron2 config parses, builds, and trains one step and evaluates on generated data."""

from __future__ import annotations

from pathlib import Path

import pytest
from people_files import NARROW, labels, toy

torch = pytest.importorskip("torch")
pytest.importorskip("detectron2")
pytest.importorskip("cv2")

from detectron2.config import LazyConfig, instantiate  # noqa: E402
from detectron2.evaluation import inference_on_dataset  # noqa: E402
from detectron2.layers import ShapeSpec  # noqa: E402
from detectron2.modeling.backbone import BottleneckBlock, ResNet  # noqa: E402
from detectron2.utils.events import EventStorage  # noqa: E402

import orplugins  # noqa: E402, F401
from orplugins.orpose_color.detectron2.datasets import register_people  # noqa: E402
from orplugins.orpose_color.detectron2.trainer import ORPoseTrainer, read_config  # noqa: E402
from orplugins.orpose_color.statistics import load_statistics  # noqa: E402

ROOT = Path(__file__).resolve().parents[2] / "configs/detectron2/orpose_color"
YAML = sorted(path for path in ROOT.rglob("*.yaml") if not path.name.startswith("_"))
LAZY = sorted(ROOT.rglob("*_lazy.py"))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toy")
    truth = toy(folder, 4)
    labels(truth, folder / "labels.json", load_statistics(folder / "statistics.json"))
    for part, path in (("train", folder / "labels.json"), ("test", truth)):
        register_people(f"configs_{part}_{folder.name}", path, folder / "images")
    return folder


def names(data: Path) -> list[str]:
    return [f"configs_{part}_{data.name}" for part in ("train", "test")]


@pytest.mark.parametrize("path", YAML, ids=lambda path: path.stem)
def test_yaml(path, data):
    read_config(str(path))  # as it is
    train, test = names(data)
    cfg = read_config(
        str(path),
        [
            *NARROW,
            "MODEL.DEVICE",
            "cpu",
            "SOLVER.IMS_PER_BATCH",
            2,
            "DATALOADER.NUM_WORKERS",
            0,
            "DATASETS.H36_STATS_PATH",
            str(data / "statistics.json"),
            "DATASETS.TRAIN",
            (train,),
            "DATASETS.TEST",
            (test,),
            "OUTPUT_DIR",
            str(data / "output"),
        ],
    )
    torch.manual_seed(0)
    model = ORPoseTrainer.build_model(cfg).train()
    optimiser = ORPoseTrainer.build_optimizer(cfg, model)
    batch = next(iter(ORPoseTrainer.build_train_loader(cfg)))
    with EventStorage():
        losses = model(batch)
    expected = {"loss_cls", "loss_box_reg", "loss_rpn_cls", "loss_rpn_loc"}
    assert expected | {f"loss_keypoints_{k}" for k in ("2D_hard", "2D_soft", "3D_hard", "3D_soft")} == losses.keys()
    assert all(torch.isfinite(value) for value in losses.values())
    sum(losses.values()).backward()
    optimiser.step()
    results = ORPoseTrainer.test(cfg, model)
    assert {"bbox", "MPJPE", "PCK"} <= results.keys()
    assert 0 <= results["PCK"]["Average"] <= 100


@pytest.mark.parametrize("path", LAZY, ids=lambda path: path.stem)
def test_lazy(path, data):
    cfg = LazyConfig.load(str(path))
    train, test = names(data)
    bottom = cfg.model.backbone.bottom_up
    bottom.stem.out_channels = 8
    bottom.stages._target_ = _narrow_stages
    cfg.model.backbone.out_channels = cfg.model.proposal_generator.head.in_channels = 16
    heads = cfg.model.roi_heads
    for head, shape in ((heads.box_head, dict(height=7, width=7)), (heads.keypoint_head, dict(height=14, width=14))):
        head.input_shape = ShapeSpec(channels=16, **shape)
    heads.box_head.fc_dims = [16, 16]
    heads.box_predictor.input_shape = ShapeSpec(channels=16)
    heads.keypoint_head.update(conv_dims=[16], lifter_width=16, statistics=str(data / "statistics.json"))
    cfg.dataloader.train.mapper.statistics = str(data / "statistics.json")
    cfg.dataloader.train.dataset.names, cfg.dataloader.test.dataset.names = train, test
    cfg.dataloader.train.update(total_batch_size=2, num_workers=0)
    cfg.dataloader.test.num_workers = 0
    model = instantiate(cfg.model).train()
    with EventStorage():
        losses = model(next(iter(instantiate(cfg.dataloader.train))))
    sum(losses.values()).backward()
    assert all(torch.isfinite(value) for value in losses.values())
    loader, evaluator = (instantiate(cfg.dataloader[part]) for part in ("test", "evaluator"))
    results = inference_on_dataset(model.eval(), loader, evaluator)
    assert {"bbox", "MPJPE", "PCK"} <= results.keys()


def _narrow_stages(**options):
    sizes, channels = zip((3, 1, 16), (4, 2, 32), (6, 2, 64), (3, 2, 128), strict=True), 8
    stages = []
    for blocks, stride, width in zip(*sizes, strict=True):
        stages.append(
            ResNet.make_stage(
                BottleneckBlock,
                blocks,
                stride_per_block=[stride] + [1] * (blocks - 1),
                in_channels=channels,
                out_channels=width,
                bottleneck_channels=width // 4,
                norm=options["norm"],
                stride_in_1x1=options["stride_in_1x1"],
            )
        )
        channels = width
    return stages
