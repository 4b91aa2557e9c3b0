"""Hooks for mmpose."""

from .checkpoint import CheckCheckpointHook

__all__ = ["CheckCheckpointHook"]
