"""Heads for mmpose."""

from .paf import PAFHead

__all__ = ["PAFHead"]
