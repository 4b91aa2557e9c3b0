"""A depth network as a function on depth images, and its further training by mmengine's runner."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from mmcv.transforms import Compose
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.apis import init_model

from orplugins.hosts.mmpose.checkpoints import guard_checkpoints
from orplugins.hosts.mmpose.topdown import read_test_config
from orplugins.io.check_weights import check_weights
from orplugins.io.weights import write_weights


class DepthPeople:
    """A depth network with its test pipeline: (H, W) uint16 millimetres to joints (N, 17, 3), 0 where missing.

    Args:
        config: mmpose's config, a file.
        weights: The checkpoint.
        device: Such as "cpu".

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: The config or the checkpoint does not fit.
    """

    def __init__(self, config: str, weights: str, device: str):
        guard_checkpoints()
        check_weights(weights)
        self.model = init_model(read_test_config(config), weights, device=device)
        init_default_scope("mmpose")
        self.pipeline = Compose(self.model.cfg.test_dataloader.dataset.pipeline)

    @torch.no_grad()
    def __call__(self, depth: np.ndarray) -> np.ndarray:
        """Joints x, y (pixels of the image) and score of the people in a depth image."""
        record = {"img": depth, "img_id": 0, "img_path": "frame", "bbox": np.zeros((1, 4)), **self.model.dataset_meta}
        people = self.model.test_step(pseudo_collate([self.pipeline(record)]))[0].pred_instances
        xy, scores = np.asarray(people.keypoints), np.asarray(people.keypoint_scores)
        return np.concatenate([xy.reshape(-1, 17, 2), scores.reshape(-1, 17, 1)], -1).astype(np.float64)


def student_config(
    config: str, weights: str, out: Path, pictures: int, iterations: int, rate: float, seed: int
) -> Config:
    """A network's config, changed to train it a little further on ``labels.json`` of a folder.

    Args:
        config: The network's.
        weights: What it begins with.
        out: The folder, which takes the checkpoints, too.
        pictures: Their number in the file.
        iterations: Steps, rounded to whole passes.
        rate: Learning rate, as a share of the config's.
        seed: Of order and views.

    Returns:
        The config.
    """
    cfg = Config.fromfile(config)
    loader, set_of = cfg.train_dataloader, cfg.train_dataloader.dataset
    batch = min(loader.batch_size, pictures)
    epochs = max(1, round(iterations * batch / pictures))
    loader.update(batch_size=batch, num_workers=0, persistent_workers=False)
    loader.dataset = dict(
        type="CocoDataset",
        data_root=f"{out}/",
        ann_file="labels.json",
        data_prefix=dict(img=""),
        data_mode="bottomup",
        filter_cfg=dict(filter_empty_gt=False),
        pipeline=set_of.pipeline,
    )
    cfg.work_dir = str(out / "runs")
    begun = (out / "runs/last_checkpoint").is_file()
    cfg.resume, cfg.load_from = begun, None if begun else weights
    cfg.train_cfg = dict(by_epoch=True, max_epochs=epochs)
    cfg.optim_wrapper.optimizer.lr *= rate
    cfg.param_scheduler = [
        dict(type="LinearLR", begin=0, end=min(20, iterations // 4 + 1), start_factor=0.1, by_epoch=False),
        dict(type="CosineAnnealingLR", eta_min=0, begin=0, end=epochs, by_epoch=True, convert_to_iter_based=True),
    ]
    cfg.default_hooks.checkpoint = dict(type="CheckpointHook", interval=1, max_keep_ckpts=1, save_best=None)
    cfg.randomness = dict(seed=seed)
    for part in ("val", "test"):
        for name in (f"{part}_dataloader", f"{part}_evaluator", f"{part}_cfg"):
            cfg[name] = None
    return cfg


def train_student(
    config: str,
    weights: str,
    out: Path,
    pictures: int,
    iterations: int,
    rate: float,
    seed: int,
    done: Path,
    device: str,
) -> None:
    """Train a student on ``labels.json`` of a folder, or go on with its training; export float16 safetensors.

    Args:
        config: The network's config.
        weights: What it begins with.
        out: The folder.
        pictures: Their number in the file.
        iterations: Steps.
        rate: Learning rate, as a share of the config's.
        seed: Of order and views.
        done: Where the student's weights go.
        device: Such as "cpu"; mmengine takes a GPU where there is one.
    """
    guard_checkpoints()
    runner = Runner.from_cfg(student_config(config, weights, out, pictures, iterations, rate, seed))
    runner.train()
    state = {
        name: value.detach().cpu().half() if value.is_floating_point() else value.detach().cpu()
        for name, value in runner.model.state_dict().items()
        if not name.startswith(("head.reconstruction.", "module.head.reconstruction."))
    }
    write_weights(done, state, {"config": config, "adapted from": weights, "pictures": pictures})
