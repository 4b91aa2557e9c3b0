"""Which module exports a network: found by what its config builds."""

from __future__ import annotations

import importlib
from pathlib import Path

from orplugins.export.plan import Plan

# model.type of mmpose's configs -> module and class
MMPOSE = {
    "orplugins.DepthPoseEstimator": ("orplugins.depthpose.mmpose.export", "DepthPlan"),
    "orplugins.PartialBodyEstimator": ("orplugins.partial_body.mmpose.export", "BoxPlan"),
    "orplugins.DepthPoseRefiner": ("orplugins.refinet.mmpose.export", "ChainPlan"),
    "orplugins.RefiNetModule": ("orplugins.refinet.mmpose.export", "ModulePlan"),
    "orplugins.VideoPoseLifter": ("orplugins.videopose3d.mmpose.export", "LifterPlan"),
}
# MODEL.ROI_HEADS.NAME of detectron2's configs -> module and class
DETECTRON2 = {
    "Keypoints3DROIHeads": ("orplugins.orpose_color.detectron2.export", "StudentPlan"),
    "StandardROIHeads": ("orplugins.partial_body.detectron2.export", "DetectorPlan"),
}
STATISTICS = ("orplugins.orpose_color.export_lifter", "RowPlan")


def plan_of(config: str, weights: str, **options) -> Plan:
    """Build a network for export.

    Args:
        config: mmpose's (.py), detectron2's (.yaml), or the joint statistics (.json) of ORPose-Color's lifter.
        weights: Of the network.
        **options: Those of the method's plan.

    Returns:
        The plan.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A config of another network, or weights that do not fit.
    """
    for path, what in ((config, "a config of mmpose or detectron2"), (weights, "a file of weights")):
        if not Path(path).is_file():
            raise FileNotFoundError(f"{path}: no such file, expected {what}")
    module, name = _place(config)
    return getattr(importlib.import_module(module), name)(config, weights, **options)


def _place(config: str) -> tuple[str, str]:
    suffix = Path(config).suffix
    if suffix == ".json":
        return STATISTICS
    if suffix in (".yaml", ".yml"):
        from orplugins.hosts.detectron2.predictor import roi_heads_of

        found, known = roi_heads_of(config), DETECTRON2
    elif suffix == ".py":
        from orplugins.hosts.mmpose.topdown import read_test_config

        found, known = read_test_config(config).model.type, MMPOSE
    else:
        raise ValueError(f"{config}: expected a config of mmpose (.py), of detectron2 (.yaml), or statistics (.json)")
    if found not in known:
        raise ValueError(f"{config}: builds {found}, expected one of {', '.join(known)}")
    return known[found]
