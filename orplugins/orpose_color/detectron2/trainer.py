"""A trainer in the manner of detectron2's projects, whose runs can be killed and continued to the same weights."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Iterator

import torch
from detectron2.config import CfgNode, get_cfg
from detectron2.data import build_detection_test_loader, build_detection_train_loader, get_detection_dataset_dicts
from detectron2.data.samplers import TrainingSampler
from detectron2.engine import DefaultTrainer
from detectron2.engine.hooks import HookBase
from detectron2.solver.build import get_default_optimizer_params, maybe_add_gradient_clipping
from detectron2.utils import comm
from detectron2.utils.env import seed_all_rng

from orplugins.hosts.detectron2.checkpoint import CarefulCheckpointer
from orplugins.hosts.detectron2.config import add_orplugins_config
from orplugins.hosts.detectron2.predictor import merge_config, merge_options
from orplugins.orpose_color.detectron2.datasets import register_from_config
from orplugins.orpose_color.detectron2.evaluators import evaluator_from_config
from orplugins.orpose_color.detectron2.mapper import MVORDatasetMapper


class ContinuedSampler(TrainingSampler):
    """detectron2's endless sampler, which can begin in the middle: `skip` samples (of all processes) are left out."""

    skip = 0

    def __iter__(self) -> Iterator[int]:
        yield from itertools.islice(self._infinite_indices(), self.skip + self._rank, None, self._world_size)


class StepSeed(HookBase):
    """Seeds every step from its number, so that a step's randomness does not depend on the steps before it.

    Args:
        seed: Of the run.
    """

    def __init__(self, seed: int):
        self.seed = seed

    def before_train(self) -> None:
        """Make the loader's iterator."""
        # Making the loader's iterator draws a random number; it must not be drawn within the first step.
        assert self.trainer._trainer._data_loader_iter is not None

    def before_step(self) -> None:
        """Seed the generators."""
        seed_all_rng((self.seed * 1_000_003 + self.trainer.iter * comm.get_world_size() + comm.get_rank()) % 2**31)


class ORPoseTrainer(DefaultTrainer):
    """`DefaultTrainer` with our mapper and evaluators.

    With ``SEED`` 0 or more, no loader workers and no aspect-ratio grouping, a run that was killed and continued with
    ``--resume`` ends with the weights of an unbroken one.
    """

    def build_hooks(self) -> list:
        """detectron2's hooks, and `StepSeed` where a seed is set."""
        self.checkpointer = CarefulCheckpointer(self.model, self.cfg.OUTPUT_DIR, trainer=weakref.proxy(self))
        hooks = super().build_hooks()
        return [StepSeed(self.cfg.SEED), *hooks] if self.cfg.SEED >= 0 else hooks

    def resume_or_load(self, resume: bool = True) -> None:
        """Load weights, or go on with the last checkpoint at its place in the data."""
        super().resume_or_load(resume)
        # The loader is built before it is known where to begin, but iterated only afterwards.
        self.data_loader.orplugins_sampler.skip = self.start_iter * self.cfg.SOLVER.IMS_PER_BATCH

    @classmethod
    def build_optimizer(cls, cfg: CfgNode, model: torch.nn.Module) -> torch.optim.Optimizer:
        """detectron2's SGD, or AdamW with the same groups of parameters: a small network learns faster with it.

        Args:
            cfg: Its ``ORPLUGINS.ORPOSE_COLOR.OPTIMIZER`` is "sgd" or "adamw".
            model: The model.

        Returns:
            The optimizer.

        Raises:
            ValueError: Another optimizer.
        """
        name = cfg.ORPLUGINS.ORPOSE_COLOR.OPTIMIZER
        if name == "sgd":
            return super().build_optimizer(cfg, model)
        if name != "adamw":
            raise ValueError(f"ORPLUGINS.ORPOSE_COLOR.OPTIMIZER: found {name!r}, expected 'sgd' or 'adamw'")
        solver = cfg.SOLVER
        groups = get_default_optimizer_params(
            model, base_lr=solver.BASE_LR, weight_decay=solver.WEIGHT_DECAY, weight_decay_norm=solver.WEIGHT_DECAY_NORM
        )
        return maybe_add_gradient_clipping(cfg, torch.optim.AdamW(groups, lr=solver.BASE_LR))

    @classmethod
    def build_train_loader(cls, cfg: CfgNode):
        """The training loader, with our mapper and a sampler that can begin in the middle."""
        dicts = get_detection_dataset_dicts(cfg.DATASETS.TRAIN, filter_empty=cfg.DATALOADER.FILTER_EMPTY_ANNOTATIONS)
        sampler = ContinuedSampler(len(dicts), seed=cfg.SEED if cfg.SEED >= 0 else None)
        mapper = MVORDatasetMapper(cfg, True)
        loader = build_detection_train_loader(cfg, mapper=mapper, dataset=dicts, sampler=sampler)
        loader.orplugins_sampler = sampler
        return loader

    @classmethod
    def build_test_loader(cls, cfg: CfgNode, dataset_name: str):
        """A set's test loader, with our mapper."""
        return build_detection_test_loader(cfg, dataset_name, mapper=MVORDatasetMapper(cfg, False))

    @classmethod
    def build_evaluator(cls, cfg: CfgNode, dataset_name: str, output_folder: str | None = None):
        """A set's evaluators, see `evaluator_from_config`."""
        return evaluator_from_config(cfg, dataset_name, output_folder)


def read_config(path: str, options: list[str] = (), train: bool = True) -> CfgNode:
    """Read a YAML file of ours (or any of detectron2's), its data sets registered and listed.

    ``DATASETS.TRAIN_SET_*`` and ``TEST_SET_*``, where they name files, take the place of ``TRAIN`` and ``TEST``.

    Args:
        path: The file.
        options: Further keys and values.
        train: Register the training set too.

    Returns:
        The config.
    """
    cfg = get_cfg()
    add_orplugins_config(cfg)
    merge_config(cfg, path)
    merge_options(cfg, options)
    names = register_from_config(cfg, train)
    for part in ("TRAIN", "TEST"):
        if cfg.DATASETS[f"{part}_SET_NAME"] in names:
            cfg.DATASETS[part] = (cfg.DATASETS[f"{part}_SET_NAME"],)
    return cfg
