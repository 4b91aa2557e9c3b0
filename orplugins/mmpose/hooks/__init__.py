"""Hooks for mmpose."""

from .seed import SeedEpochHook

__all__ = ["SeedEpochHook"]
