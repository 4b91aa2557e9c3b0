"""Fine-tuning by mmengine's runner: a method's config with a few pictures, a low rate, and the best weights kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.device import utils as device_utils
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope
from mmengine.runner import Runner, find_latest_checkpoint
from mmengine.utils import import_modules_from_strings

from orplugins.backbones.frozen_norm import cpu_state, keep_statistics
from orplugins.device import choose_device
from orplugins.finetune.best import Best
from orplugins.finetune.method import Rows, Training

SCORINGS = 10  # of a training
_WARM_UP = 20  # steps at most


def read_config(path: str) -> Config:
    """Read a config of mmpose that can be trained.

    Args:
        path: The file.

    Returns:
        The config; what it imports is imported.

    Raises:
        ValueError: It cannot be read, or has no training.
    """
    try:
        cfg = Config.fromfile(path)
        cfg.model, cfg.train_dataloader, cfg.optim_wrapper.optimizer.lr  # noqa: B018 - missing ones raise
    except Exception as error:  # a config is Python, and raises whatever it likes
        reason = " ".join(str(error).split())[:300]
        raise ValueError(f"{path}: not a config of mmpose that can be trained: {reason}") from None
    import_modules_from_strings(**cfg.get("custom_imports", dict(imports=["orplugins"])))
    init_default_scope(cfg.get("default_scope", "mmpose"))
    return cfg


class KeepBestHook(Hook):
    """Batch norms keep their statistics; weights are offered after every validation.

    Args:
        best: What keeps them.
        names: The host's names of figures, by ours, with what they are multiplied by.
    """

    priority = "LOWEST"

    def __init__(self, best: Best, names: dict[str, tuple[str, float]]):
        self.best, self.names = best, names

    def before_train(self, runner: Runner) -> None:
        """Score what an interrupted run saved and did not score."""
        if runner.iter and not self.best.seen(runner.iter):
            runner.val_loop.run()

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Keep the statistics."""
        keep_statistics(runner.model)

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Offer the weights."""
        losses = runner.message_hub.log_scalars.get("train/loss")
        loss = float(losses.mean(20)) if losses is not None and len(losses.data[0]) else None
        self.best.offer(runner.iter, named(metrics or {}, self.names), lambda: cpu_state(runner.model), loss)


def named(metrics: dict, names: dict[str, tuple[str, float]]) -> Rows:
    """Figures under our names; those that could not be counted are left out.

    Args:
        metrics: The host's.
        names: The host's names by ours, with what they are multiplied by.
    """
    found = {ours: float(factor * metrics[theirs]) for ours, (theirs, factor) in names.items() if theirs in metrics}
    return {name: value for name, value in found.items() if isfinite(value) and value >= 0}


def measure(cfg: Config, weights: Path, test: dict, folder: Path, device: str, names: dict) -> Rows:
    """Figures of a file of weights.

    Args:
        cfg: The config.
        weights: The file.
        test: ``dataset`` and ``evaluator``.
        folder: For the host's logs.
        device: See `orplugins.device.choose_device`.
        names: See `named`.
    """
    cfg = _common(cfg, folder, "measure")
    cfg.load_from = str(weights)
    cfg.test_dataloader, cfg.test_evaluator, cfg.test_cfg = _loader(test["dataset"]), test["evaluator"], dict()
    for part in ("train", "val"):
        cfg[f"{part}_dataloader"] = cfg[f"{part}_cfg"] = None
    cfg.val_evaluator = cfg.optim_wrapper = cfg.param_scheduler = None
    with _on(device):
        return named(Runner.from_cfg(cfg).test(), names)


def train(cfg: Config, training: Training, dataset: dict, val: dict, device: str, names: dict, seed: int) -> None:
    """Train, or go on with the last checkpoint.

    Args:
        cfg: The config.
        training: What is asked for.
        dataset: What is learned from.
        val: ``dataset`` and ``evaluator`` of the held-out pictures.
        device: See `orplugins.device.choose_device`.
        names: See `named`.
        seed: Of the run.
    """
    from mmpose.registry import DATASETS

    cfg = _common(cfg, training.folder, "train")
    examples = len(DATASETS.build(dataset))
    batch, epochs = min(training.batch, examples), min(SCORINGS, training.iterations)
    # Examples are repeated until an epoch has its share of the steps: between two validations lies one epoch.
    steps = -(-training.iterations // epochs)
    repeated = dict(type="RepeatDataset", dataset=dataset, times=-(-steps * batch // examples))
    cfg.train_dataloader = dict(
        batch_size=batch,
        num_workers=0,
        persistent_workers=False,
        drop_last=True,
        sampler=dict(type="DefaultSampler", shuffle=True),
        dataset=repeated,
    )
    cfg.val_dataloader, cfg.val_evaluator, cfg.val_cfg = _loader(val["dataset"]), val["evaluator"], dict()
    cfg.test_dataloader = cfg.test_evaluator = cfg.test_cfg = None
    cfg.train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=epochs, val_interval=1)
    cfg.optim_wrapper.optimizer.lr = training.lr
    total = epochs * (examples * repeated["times"] // batch)
    warm = min(_WARM_UP, max(total // 10, 1))
    cosine = dict(type="CosineAnnealingLR", by_epoch=False, begin=warm, end=total, T_max=max(total - warm, 1))
    cfg.param_scheduler = [
        dict(type="LinearLR", by_epoch=False, start_factor=0.05, begin=0, end=warm),
        dict(cosine, eta_min=training.lr / 100),
    ]
    cfg.custom_hooks = [dict(type="SyncBuffersHook"), dict(type="orplugins.SeedEpochHook")]
    # Two, because the note of the last one is written after the one before it is removed.
    cfg.default_hooks.checkpoint = dict(type="CheckpointHook", interval=1, max_keep_ckpts=2)
    cfg.randomness = dict(seed=seed)
    last = find_latest_checkpoint(str(training.folder))
    cfg.resume, cfg.load_from = bool(last), last
    cfg.load_from = last or cfg.get("start_weights")
    training.best.total = total
    with _on(device):
        runner = Runner.from_cfg(cfg)
        runner.register_hook(KeepBestHook(training.best, names))
        runner.train()


def _loader(dataset: dict) -> dict:
    sampler = dict(type="DefaultSampler", shuffle=False, round_up=False)
    return dict(
        batch_size=8, num_workers=0, persistent_workers=False, drop_last=False, sampler=sampler, dataset=dataset
    )


def _common(cfg: Config, folder: Path, name: str) -> Config:
    cfg = cfg.copy()
    cfg.work_dir, cfg.experiment_name = str(folder), f"{name}_{folder.parent.name}_{id(cfg):x}"
    cfg.launcher, cfg.resume = "none", False
    return cfg


@contextmanager
def _on(device: str) -> Iterator[None]:
    """Have runners take a device: mmengine's own choice is the first GPU wherever there is one."""
    import torch

    chosen, before = choose_device(device), device_utils.DEVICE
    device_utils.DEVICE = chosen.partition(":")[0]
    if ":" in chosen:
        torch.cuda.set_device(chosen)
    try:
        yield
    finally:
        device_utils.DEVICE = before
