"""A trainer whose runs can be killed and continued to the same weights."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Iterator

from detectron2.config import CfgNode
from detectron2.data import build_detection_train_loader, get_detection_dataset_dicts
from detectron2.data.samplers import TrainingSampler
from detectron2.engine import DefaultTrainer
from detectron2.engine.hooks import HookBase
from detectron2.utils import comm
from detectron2.utils.env import seed_all_rng

from orplugins.hosts.detectron2.checkpoint import CarefulCheckpointer


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


class ContinuedTrainer(DefaultTrainer):
    """`DefaultTrainer` that goes on exactly where it was killed.

    With ``SEED`` 0 or more, no loader workers and no aspect-ratio grouping, a run that was killed and continued with
    ``--resume`` ends with the weights of an unbroken one.
    """

    def build_hooks(self) -> list:
        """detectron2's hooks, and `StepSeed` where a seed is set."""
        self.checkpointer = self.build_checkpointer()
        hooks = super().build_hooks()
        return [StepSeed(self.cfg.SEED), *hooks] if self.cfg.SEED >= 0 else hooks

    def build_checkpointer(self) -> CarefulCheckpointer:
        """What reads and writes this run's checkpoints."""
        return CarefulCheckpointer(self.model, self.cfg.OUTPUT_DIR, trainer=weakref.proxy(self))

    def resume_or_load(self, resume: bool = True) -> None:
        """Load weights, or go on with the last checkpoint at its place in the data."""
        super().resume_or_load(resume)
        # The loader is built before it is known where to begin, but iterated only afterwards.
        self.skip_steps(self.start_iter)

    def skip_steps(self, count: int) -> None:
        """Have the loader leave out the data of steps that were done.

        Args:
            count: Of the steps.
        """
        self.data_loader.orplugins_sampler.skip = count * self.cfg.SOLVER.IMS_PER_BATCH

    @classmethod
    def build_mapper(cls, cfg: CfgNode):
        """What makes the model's inputs of a data set's records in training; detectron2's own by default."""
        from detectron2.data import DatasetMapper

        return DatasetMapper(cfg, True)

    @classmethod
    def build_train_loader(cls, cfg: CfgNode):
        """The training loader, with a sampler that can begin in the middle."""
        dicts = get_detection_dataset_dicts(cfg.DATASETS.TRAIN, filter_empty=cfg.DATALOADER.FILTER_EMPTY_ANNOTATIONS)
        sampler = ContinuedSampler(len(dicts), seed=cfg.SEED if cfg.SEED >= 0 else None)
        loader = build_detection_train_loader(cfg, mapper=cls.build_mapper(cfg), dataset=dicts, sampler=sampler)
        loader.orplugins_sampler = sampler
        return loader
