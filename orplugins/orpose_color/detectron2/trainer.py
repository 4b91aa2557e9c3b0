"""A trainer in the manner of detectron2's projects, whose runs can be killed and continued to the same weights."""

from __future__ import annotations

import torch
from detectron2.config import CfgNode, get_cfg
from detectron2.data import build_detection_test_loader

from orplugins.hosts.detectron2.config import add_orplugins_config
from orplugins.hosts.detectron2.continued import ContinuedTrainer
from orplugins.hosts.detectron2.optimizer import build_named_optimizer
from orplugins.hosts.detectron2.predictor import merge_config, merge_options
from orplugins.orpose_color.detectron2.datasets import register_from_config
from orplugins.orpose_color.detectron2.evaluators import evaluator_from_config
from orplugins.orpose_color.detectron2.mapper import MVORDatasetMapper


class ORPoseTrainer(ContinuedTrainer):
    """`ContinuedTrainer` with our mapper, evaluators and optimizers."""

    @classmethod
    def build_optimizer(cls, cfg: CfgNode, model: torch.nn.Module) -> torch.optim.Optimizer:
        """detectron2's SGD, or AdamW with the same groups of parameters: a small network learns faster with it.

        Args:
            cfg: Its ``ORPLUGINS.ORPOSE_COLOR.OPTIMIZER`` is "sgd" or "adamw"; with AdamW a backbone that was trained
                before learns at ``TRUNK_RATE`` times the rate of all else.
            model: The model.

        Returns:
            The optimizer.

        Raises:
            ValueError: Another optimizer.
        """
        ours = cfg.ORPLUGINS.ORPOSE_COLOR

        def rate(parameter: str) -> float:
            return ours.TRUNK_RATE if parameter.startswith("backbone.bottom_up.") else 1.0

        return build_named_optimizer(cfg, model, ours.OPTIMIZER, "ORPLUGINS.ORPOSE_COLOR.OPTIMIZER", rate)

    @classmethod
    def build_mapper(cls, cfg: CfgNode, is_train: bool = True) -> MVORDatasetMapper:
        """The training's mapper, or the test's."""
        return MVORDatasetMapper(cfg, is_train)

    @classmethod
    def build_test_loader(cls, cfg: CfgNode, dataset_name: str):
        """A set's test loader, with our mapper."""
        return build_detection_test_loader(cfg, dataset_name, mapper=cls.build_mapper(cfg, False))

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
