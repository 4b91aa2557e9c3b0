"""Networks without a host: ``people = load("model.onnx")(image)`` with NumPy and ONNX Runtime or OpenVINO.

Model files are written by `orplugins.export`; what runs them is in each method's ``deploy.py``.
"""

from __future__ import annotations

from orplugins.deploy.chains import BoxedPose, LiftedPose, RefinedPose, load_chain
from orplugins.deploy.engines import ENGINES, Engine
from orplugins.deploy.metadata import InputSpec, Metadata, Source
from orplugins.deploy.methods import METHODS
from orplugins.deploy.opening import load
from orplugins.deploy.pose import Model, Pose

__all__ = [
    "ENGINES",
    "METHODS",
    "BoxedPose",
    "Engine",
    "InputSpec",
    "LiftedPose",
    "Metadata",
    "Model",
    "Pose",
    "RefinedPose",
    "Source",
    "load",
    "load_chain",
]
