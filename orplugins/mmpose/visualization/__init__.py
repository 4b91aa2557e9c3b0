"""Visualizers for mmpose."""

from .depth import DepthVisualizer

__all__ = ["DepthVisualizer"]
