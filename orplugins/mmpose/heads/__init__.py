"""Heads for mmpose."""

from .paf import PAFHead
from .refinet import OffsetHead

__all__ = ["OffsetHead", "PAFHead"]
