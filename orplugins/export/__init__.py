"""From a config and its weights to a model file that runs without them: ONNX, and OpenVINO's form.

The maths of a method's graph is in the method's ``export.py``; this room writes, checks, shrinks and measures the file.
"""

from __future__ import annotations

from orplugins.export.job import Exported, export
from orplugins.export.plan import Plan

__all__ = ["Exported", "Plan", "export"]
