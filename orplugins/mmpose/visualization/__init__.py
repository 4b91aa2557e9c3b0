"""Visualizers for mmpose."""
