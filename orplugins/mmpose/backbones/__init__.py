"""Backbones for mmpose."""
