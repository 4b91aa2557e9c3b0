"""The merged pyramid as a neck of mmpose."""

from __future__ import annotations

from mmengine.model import BaseModule

from orplugins.partial_body.pyramid import MergedPyramid as Network
from orplugins.registry import MODELS


@MODELS.register_module()
class MergedPyramid(Network, BaseModule):
    """Arguments as of `orplugins.partial_body.pyramid.MergedPyramid`; returns a tuple of one map, as heads expect."""

    def __init__(self, init_cfg: dict | None = None, **network):
        super().__init__(**network)
        self.init_cfg = init_cfg

    def forward(self, maps):
        """The merged map of a trunk's maps, in a tuple."""
        return (super().forward(maps),)
