"""Networks without a host: ``people = load("model.onnx")(image)`` with NumPy and ONNX Runtime or OpenVINO.

Model files are written by `orplugins.export`; what runs them is in each method's ``deploy.py``.
"""

from __future__ import annotations

import os

from orplugins.deploy.chains import BoxedPose, LiftedPose, RefinedPose, load_chain
from orplugins.deploy.engines import ENGINES, Engine, open_engine
from orplugins.deploy.metadata import InputSpec, Metadata, Source, parse_metadata
from orplugins.deploy.methods import METHODS, class_of
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


def load(path: str | os.PathLike, threads: int = 1, engine: str = "onnxruntime") -> Model:
    """Open a model file.

    Args:
        path: An ONNX file that ``orplugins export`` wrote, or with OpenVINO also its IR, ``.xml``.
        threads: Of one run of the network.
        engine: ``"onnxruntime"`` or ``"openvino"``.

    Returns:
        Of networks on images a `orplugins.deploy.pose.Pose`; of lifters and RefiNet the method's own class (see
        `orplugins.deploy.methods`).

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: No ONNX, no metadata of ours, another version of them, or another engine; in one line.
        ImportError: The engine is not installed.
    """
    opened = open_engine(path, engine, threads)
    metadata = parse_metadata(opened.metadata, str(path))
    return class_of(metadata.method, str(path))(opened, metadata)
