"""Heads for mmpose."""

from .paf import PAFHead
from .partial_body import JointStateHead

__all__ = ["JointStateHead", "PAFHead"]
