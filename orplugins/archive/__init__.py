"""Thousands of hours of recordings through a model file: spans of them as tasks of a cluster, or of one process.

What is written is known by ``manifest.jsonl``: a run that was stopped goes on from it, and a task that a dying node
repeats writes the same files again.
"""

from __future__ import annotations

from orplugins.archive.files import read_frames
from orplugins.archive.pipeline import BatchResult, BatchSettings, run_batch

__all__ = ["BatchResult", "BatchSettings", "read_frames", "run_batch"]
