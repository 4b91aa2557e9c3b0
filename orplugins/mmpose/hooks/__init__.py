"""Hooks for mmpose."""

from .checkpoint import CheckCheckpointHook
from .seed import SeedEpochHook
from .videopose3d import BatchNormMomentumHook

__all__ = ["BatchNormMomentumHook", "CheckCheckpointHook", "SeedEpochHook"]
