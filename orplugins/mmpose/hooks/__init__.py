"""Hooks for mmpose."""

from .seed import SeedEpochHook
from .videopose3d import BatchNormMomentumHook

__all__ = ["BatchNormMomentumHook", "SeedEpochHook"]
