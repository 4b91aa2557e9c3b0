"""Every partial-body config parses, builds, trains one step and evaluates on generated pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmpose")

from mmengine.config import Config  # noqa: E402
from mmengine.dataset import pseudo_collate  # noqa: E402
from mmengine.evaluator import Evaluator  # noqa: E402
from mmengine.optim import build_optim_wrapper  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402
from mmpose.registry import DATASETS, MODELS  # noqa: E402

from orplugins.io.video import write_image  # noqa: E402
from orplugins.skeletons import SKELETONS  # noqa: E402

ROOT = Path(__file__).resolve().parents[2] / "configs"
CONFIGS = sorted((ROOT / "mmpose/partial_body").rglob("*.py"))
JOINTS = {
    "patient-21": "patient_21",
    "patient-22": "patient_22",
    "user-6": "user_6",
    "coco-17": "coco_17",
    "people": "coco_17",
}


def joints_of(name: str) -> int:
    return SKELETONS[next(joint_set for part, joint_set in JOINTS.items() if part in name)].num_joints


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Folder with ``joints<K>.json`` for every number of joints: four pictures, five people."""
    out = tmp_path_factory.mktemp("partial_people")
    rng = np.random.default_rng(0)
    for k in range(4):
        write_image(out / f"images/{k}.png", rng.integers(0, 255, (120, 160, 3), dtype=np.uint8))
    for count in {skeleton.num_joints for skeleton in SKELETONS.values()}:
        people = []
        for n in range(5):
            v = rng.integers(0, 3, count)
            v[:3] = 2
            joints = np.stack([rng.uniform(20, 130, count), rng.uniform(10, 110, count), v], -1) * (v > 0)[:, None]
            people.append(
                {
                    "id": n + 1,
                    "image_id": n % 4 + 1,
                    "category_id": 1,
                    "iscrowd": 0,
                    "area": 7000.0,
                    "bbox": [15.0, 5.0, 120.0, 110.0],
                    "keypoints": joints.ravel().tolist(),
                    "num_keypoints": int((v > 0).sum()),
                }
            )
        images = [{"id": k + 1, "file_name": f"{k}.png", "width": 160, "height": 120} for k in range(4)]
        content = {"images": images, "annotations": people, "categories": [{"id": 1, "name": "person"}]}
        (out / f"joints{count}.json").write_text(json.dumps(content))
    return out


@pytest.fixture(params=CONFIGS, ids=lambda path: path.stem)
def config(request):
    init_default_scope("mmpose")
    return Config.fromfile(request.param)


def at(dataset: dict, data: Path, joints: int):
    return DATASETS.build(
        {**dataset, "data_root": f"{data}/", "ann_file": f"joints{joints}.json", "data_prefix": dict(img="images/")}
    )


def test_one_step_and_one_evaluation(config, data):
    joints = joints_of(Path(config.filename).stem)
    assert config.model.head.out_channels == joints
    if config.model.backbone.type == "orplugins.ViT":
        config.model.backbone.depth = 2
    if (
        config.model.backbone.get("arch", "tiny") != "tiny"
    ):  # a step of the full width takes long; sizes of pictures and maps stay
        config.model.backbone.arch = "tiny"
        config.model.head.update(in_channels=192, deconv_out_channels=(8, 8))
    torch.manual_seed(0)
    np.random.seed(0)
    model = MODELS.build(config.model)
    model.init_weights()
    train = at(config.train_dataloader.dataset, data, joints)
    assert train.metainfo["num_keypoints"] == joints
    batch = pseudo_collate([train[k] for k in range(3)])
    before = {name: value.clone() for name, value in model.state_dict().items()}
    losses = model.train().train_step(batch, build_optim_wrapper(model, config.optim_wrapper))
    assert all(torch.isfinite(value).all() for value in losses.values()) and losses["loss_kpt"] > 0
    assert ("loss_state" in losses) == (config.model.head.type == "orplugins.JointStateHead")
    assert any(not torch.equal(value, before[name]) for name, value in model.state_dict().items())

    dataset = at(config.val_dataloader.dataset, data, joints)
    evaluators = config.val_evaluator if isinstance(config.val_evaluator, list) else [config.val_evaluator]
    truth = str(data / f"joints{joints}.json")
    evaluator = Evaluator([{**e, "ann_file": truth} if "ann_file" in e else dict(e) for e in evaluators])
    evaluator.dataset_meta = dataset.metainfo
    model.eval()
    samples = pseudo_collate([dataset[k] for k in range(len(dataset))])
    with torch.no_grad():
        evaluator.process(data_samples=model.test_step(samples), data_batch=samples)
    results = evaluator.evaluate(len(dataset))
    assert "coco/AP" in results
    assert ("state/accuracy" in results) == (config.model.head.type == "orplugins.JointStateHead")


def test_published_and_ours_differ_as_documented():
    init_default_scope("mmpose")
    ours, published = (
        Config.fromfile(ROOT / f"mmpose/partial_body/vitpose-b_patient-21_256x192{suffix}.py")
        for suffix in ("", "_published")
    )
    metas = [DATASETS.get(c.train_dataloader.dataset.type).METAINFO for c in (ours, published)]
    swaps = [[info["swap"] for info in meta["keypoint_info"].values()] for meta in metas]
    assert sum(map(bool, swaps[0])) == 16 and not any(swaps[1])
    assert ours.model.head.decoder.type == "orplugins.BatchedHeatmap"
    assert published.model.head.decoder.type == "orplugins.PublishedHeatmap"
    assert [step.type for step in published.test_dataloader.dataset.pipeline].count("orplugins.InclusiveBox") == 1


@pytest.mark.parametrize("path", sorted((ROOT / "detectron2/partial_body").glob("*.yaml")), ids=lambda path: path.stem)
def test_detector_trains_a_step_and_evaluates(path, tmp_path, monkeypatch):
    pytest.importorskip("detectron2")
    from detectron2.data import DatasetCatalog, MetadataCatalog
    from detectron2.engine import DefaultTrainer

    from orplugins.partial_body.detectron2.datasets import register_partial_body
    from orplugins.partial_body.detectron2.detector import detector_config
    from orplugins.partial_body.detectron2.evaluator import PartialBodyEvaluator

    rng = np.random.default_rng(0)
    boxes = [(1, 1, [20, 20, 60, 80]), (1, 2, [70, 10, 60, 60]), (2, 1, [10, 10, 100, 90])]
    for k in (1, 2):
        write_image(tmp_path / f"{k}.png", rng.integers(0, 255, (120, 160, 3), dtype=np.uint8))
    (tmp_path / "ann.json").write_text(
        json.dumps(
            {
                "images": [{"id": k, "file_name": f"{k}.png", "width": 160, "height": 120} for k in (1, 2)],
                "annotations": [
                    {
                        "id": n + 1,
                        "image_id": i,
                        "category_id": c,
                        "bbox": b,
                        "area": b[2] * b[3],
                        "iscrowd": 0,
                        "segmentation": [],
                    }
                    for n, (i, c, b) in enumerate(boxes)
                ],
                "categories": [{"id": 1, "name": "patient"}, {"id": 2, "name": "user"}],
            }
        )
    )
    name = "partial_body_config_test"
    register_partial_body(name, tmp_path / "ann.json", tmp_path)
    try:
        cfg = detector_config(
            path,
            [
                "MODEL.DEVICE",
                "cpu",
                "MODEL.RESNETS.DEPTH",
                "50",
                "MODEL.FPN.OUT_CHANNELS",
                "32",
                "MODEL.ROI_BOX_HEAD.FC_DIM",
                "32",
                "MODEL.RESNETS.RES2_OUT_CHANNELS",
                "32",
                "MODEL.RESNETS.STEM_OUT_CHANNELS",
                "8",
                "MODEL.RESNETS.WIDTH_PER_GROUP",
                "8",
                "INPUT.MIN_SIZE_TRAIN",
                "(64,)",
                "INPUT.MIN_SIZE_TEST",
                "64",
                "DATALOADER.NUM_WORKERS",
                "0",
                "SEED",
                "1",
                "SOLVER.IMS_PER_BATCH",
                "2",
                "SOLVER.MAX_ITER",
                "1",
                "SOLVER.STEPS",
                "()",
                "TEST.EVAL_PERIOD",
                "0",
                "DATASETS.TRAIN",
                f"('{name}',)",
                "DATASETS.TEST",
                f"('{name}',)",
                "OUTPUT_DIR",
                str(tmp_path / "out"),
            ],
        )

        class Trainer(DefaultTrainer):
            @classmethod
            def build_evaluator(cls, cfg, dataset_name, output_folder=None):
                return PartialBodyEvaluator(dataset_name, protocol="lvis", output_dir=cfg.OUTPUT_DIR)

        trainer = Trainer(cfg)
        results = {}
        monkeypatch.setattr("detectron2.engine.defaults.verify_results", lambda cfg, found: results.update(found))
        trainer.train()
        results = trainer._last_eval_results
        assert {"bbox", "bbox-lvis"} <= set(results) and "AP-patient" in results["bbox-lvis"]
        # Picture 2 shows no user: what is found of that class there costs nothing by the LVIS-style protocol.
        # Without any detection COCO's figure is NaN.
        assert results["bbox-lvis"]["AP"] >= np.nan_to_num(results["bbox"]["AP"]) - 1e-6
    finally:
        DatasetCatalog.remove(name)
        MetadataCatalog.remove(name)
