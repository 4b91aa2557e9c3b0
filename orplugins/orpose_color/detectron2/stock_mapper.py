"""Our mapper for detectron2's stock scripts, which know no way to choose one."""

from __future__ import annotations

from detectron2.config import CfgNode


def choose_mapper() -> None:
    """Let detectron2's loaders take `MVORDatasetMapper` for models with `Keypoints3DROIHeads`, their own for others.

    The stock ``train_net.py`` builds ``DatasetMapper(cfg, is_train)`` itself. Only the entry point
    (``DETECTRON2_ENV_MODULE``) calls this, for a process whose scripts nobody edits; a second call changes nothing.
    """
    from detectron2.data import build

    host = build.DatasetMapper
    if getattr(host, "chosen_by_orplugins", False):
        return

    def mapper(cfg: CfgNode, is_train: bool = True, **options):
        if cfg.MODEL.ROI_HEADS.NAME == "Keypoints3DROIHeads" and "ORPLUGINS" in cfg:
            from orplugins.orpose_color.detectron2.mapper import MVORDatasetMapper

            return MVORDatasetMapper(cfg, is_train)
        return host(cfg, is_train, **options)

    mapper.chosen_by_orplugins = True
    build.DatasetMapper = mapper
