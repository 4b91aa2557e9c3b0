"""Hooks for mmpose."""

from .checkpoint import CheckCheckpointHook
from .seed import SeedEpochHook

__all__ = ["CheckCheckpointHook", "SeedEpochHook"]
