"""Fine-tuning by detectron2's trainer: a method's config with a few pictures, a low rate, and the best weights kept."""

from __future__ import annotations

import hashlib
from math import isfinite
from pathlib import Path

from detectron2.config import CfgNode
from detectron2.engine.hooks import EvalHook, HookBase, PeriodicCheckpointer
from detectron2.evaluation import DatasetEvaluator, inference_on_dataset
from detectron2.modeling import build_model

from orplugins.backbones.frozen_norm import cpu_state, keep_statistics
from orplugins.device import choose_device
from orplugins.finetune.method import LabelledSet, Rows, Training
from orplugins.hosts.detectron2.checkpoint import load_weights
from orplugins.hosts.detectron2.continued import ContinuedTrainer

SCORINGS = 10  # of a training
_WARM_UP = 20  # steps at most


class FinetuneTrainer(ContinuedTrainer):
    """Trains with batch norms that keep their statistics; weights are scored ten times, and saved to go on from.

    Subclasses give mapper, test loader and evaluator.

    Attributes:
        training: What is asked for; set before training.
    """

    training: Training

    def build_hooks(self) -> list:
        """detectron2's hooks with one that scores and saves in the place of two."""
        hooks = [hook for hook in super().build_hooks() if not isinstance(hook, (EvalHook, PeriodicCheckpointer))]
        period = max(1, -(-self.cfg.SOLVER.MAX_ITER // SCORINGS))
        return [*hooks[:-1], _ScoreAndSave(period), *hooks[-1:]]

    @classmethod
    def figures(cls, cfg: CfgNode, dataset: str, model) -> Rows:
        """Figures of a model on a registered set, in percent."""
        loader, evaluator = cls.build_test_loader(cfg, dataset), cls.build_evaluator(cfg, dataset)
        rows = cls.rows(inference_on_dataset(model, loader, evaluator), cfg)
        return {name: float(value) for name, value in rows.items() if isfinite(value) and value >= 0}

    @classmethod
    def rows(cls, found: dict, cfg: CfgNode) -> Rows:
        """Our names for what the evaluator found."""
        raise NotImplementedError

    @classmethod
    def build_evaluator(cls, cfg: CfgNode, dataset_name: str, output_folder: str | None = None) -> DatasetEvaluator:
        """A set's evaluator."""
        raise NotImplementedError


class _ScoreAndSave(HookBase):
    def __init__(self, period: int):
        self.period = period

    def before_train(self) -> None:
        keep_statistics(self.trainer.model)

    def after_step(self) -> None:
        trainer, done = self.trainer, self.trainer.iter + 1
        if done % self.period and done < trainer.max_iter:
            return
        # Scored before it is saved: what was saved was scored, however the run ends.
        rows = trainer.figures(trainer.cfg, trainer.cfg.DATASETS.TEST[0], trainer.model)
        loss = trainer.storage.histories().get("total_loss")
        trainer.training.best.offer(done, rows, lambda: cpu_state(trainer.model), loss and float(loss.median(20)))
        keep_statistics(trainer.model)
        trainer.checkpointer.save("model_last", iteration=trainer.iter)


def fitted(cfg: CfgNode, training: Training, weights: str, seed: int, device: str) -> CfgNode:
    """A config for a few pictures.

    Args:
        cfg: The method's.
        training: What is asked for.
        weights: What to start from.
        seed: Of the run.
        device: See `orplugins.device.choose_device`.

    Returns:
        Another config.
    """
    cfg, solver = cfg.clone(), cfg.SOLVER
    solver = cfg.SOLVER
    cfg.OUTPUT_DIR, cfg.SEED = str(training.folder), seed
    cfg.MODEL.WEIGHTS, cfg.MODEL.DEVICE = weights, choose_device(device)
    cfg.DATALOADER.NUM_WORKERS, cfg.DATALOADER.ASPECT_RATIO_GROUPING = 0, False
    cfg.DATALOADER.FILTER_EMPTY_ANNOTATIONS = False
    cfg.TEST.EVAL_PERIOD = 0
    solver.IMS_PER_BATCH, solver.REFERENCE_WORLD_SIZE = training.batch, 0
    solver.BASE_LR, solver.MAX_ITER, solver.STEPS = training.lr, training.iterations, ()
    solver.LR_SCHEDULER_NAME = "WarmupCosineLR"
    solver.WARMUP_ITERS, solver.WARMUP_FACTOR = min(_WARM_UP, max(training.iterations // 10, 1)), 0.05
    return cfg


def run(kind: type[FinetuneTrainer], cfg: CfgNode, training: Training) -> None:
    """Train, or go on with the last checkpoint.

    Args:
        kind: The method's trainer.
        cfg: From `fitted`, with registered sets.
        training: What is asked for.
    """
    trainer = kind(cfg)
    trainer.training = training
    trainer.resume_or_load(resume=True)
    if trainer.start_iter >= trainer.max_iter:
        return
    try:
        trainer.train()
    except FloatingPointError as error:  # infinite loss
        raise ValueError(f"training diverged, a lower learning rate may help: {str(error).splitlines()[0]}") from None


def measure(kind: type[FinetuneTrainer], cfg: CfgNode, weights: Path, dataset: str, device: str) -> Rows:
    """Figures of a file of weights.

    Args:
        kind: The method's trainer.
        cfg: The method's config.
        weights: The file.
        dataset: A registered set.
        device: See `orplugins.device.choose_device`.
    """
    cfg = cfg.clone()
    cfg.MODEL.WEIGHTS, cfg.MODEL.DEVICE = str(weights), choose_device(device)
    cfg.DATALOADER.NUM_WORKERS = 0
    model = build_model(cfg).eval()
    load_weights(model, str(weights))
    return kind.figures(cfg, dataset, model)


def name_of(labelled: LabelledSet) -> str:
    """A name for a set, which no other content has: detectron2 never forgets one.

    Args:
        labelled: The set.
    """
    digest = hashlib.sha256(labelled.file.read_bytes() + str(labelled.images).encode()).hexdigest()[:12]
    return f"finetune_{labelled.file.stem}_{digest}"
