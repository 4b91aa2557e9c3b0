"""AdaptOR's jobs that detectron2 runs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from detectron2.config import CfgNode

from orplugins.adaptor.detectron2.checkpoint import AdaptorCheckpointer
from orplugins.adaptor.detectron2.preflight import check_before
from orplugins.adaptor.detectron2.trainer import AdaptorTrainer, read_config
from orplugins.hosts.detectron2.training import Method

NETWORKS = ("CustomROIHeads",)


def is_adaptor(cfg: CfgNode) -> bool:
    """Whether a config is AdaptOR's: it has a teacher, or AdaptOR's heads.

    Args:
        cfg: The config.
    """
    return cfg.UDA.ENABLE or cfg.MODEL.ROI_HEADS.NAME in NETWORKS


def _read(path: str, options: Sequence[str], train: bool) -> CfgNode:
    return read_config(path, options)


ADAPTOR = Method(is_adaptor, _read, check_before, AdaptorTrainer, partial(AdaptorCheckpointer, exact=True))
