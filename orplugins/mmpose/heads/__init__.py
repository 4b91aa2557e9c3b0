"""Heads for mmpose."""

from .paf import PAFHead
from .partial_body import JointStateHead
from .refinet import OffsetHead

__all__ = ["JointStateHead", "OffsetHead", "PAFHead"]
